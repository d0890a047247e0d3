"""The profiles φ on a GPU: value and slope of a tile of squared distances (of inner products, for polynomials).

Each takes the tile, whether all of it is within the `reach` of `arguments`, and the numbers that `arguments` made on
the host. The formulas are those of reference.py.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import triton
import triton.language as tl

from ... import gpu

INTERPRETED = tl.constexpr(gpu.interpreted())
LARGEST = 1e36  # what a common denominator may grow to, in float32
MOST_IN_ONE = 7  # constants over one denominator


@triton.jit
def reciprocal(x):
    """1/x by the device's own instruction, which the interpreter lacks: a fifth of what a division takes."""
    if INTERPRETED:
        return 1 / x
    else:
        return tl.inline_asm_elementwise("rcp.approx.ftz.f32 $0, $1;", "=r,r", [x], tl.float32, True, 1)


@triton.jit
def imq(s, within, p):
    """Σ C/(C+s), over one denominator where that does not overflow: p as `_over_one_denominator` orders it."""
    n: tl.constexpr = len(p) // 5
    if within:
        # P/Q and −N/Q² by Horner's rule in s/C̄: all coefficients positive, nothing cancels, one division
        t = s * p[n]
        above = tl.zeros_like(s) + p[2 * n]
        below = t + p[3 * n]
        down = tl.zeros_like(s) + p[5 * n - 1]
        for k in tl.static_range(n - 1):
            above = above * t + p[2 * n - 1 - k]
            below = below * t + p[3 * n - 1 - k]
        for k in tl.static_range(2 * n - 2):
            down = down * t + p[5 * n - 2 - k]
        inverse = reciprocal(below)
        value = above * inverse
        slope = down * inverse * inverse
    else:
        value, slope = _imq_by_division(s, p, n)
    return value, slope


@triton.jit
def imq_by_division(s, within, p):
    """Σ C/(C+s) of many constants C: p."""
    return _imq_by_division(s, p, len(p))


@triton.jit
def _imq_by_division(s, p, n: tl.constexpr):
    value = tl.zeros_like(s)
    slope = tl.zeros_like(s)
    for k in tl.static_range(n):
        inverse = reciprocal(p[k] + s)
        value += p[k] * inverse
        slope -= p[k] * inverse * inverse
    return value, slope


@triton.jit
def gaussian(s, within, p):
    """Σ exp(r·s) of rates r: p."""
    value = tl.zeros_like(s)
    slope = tl.zeros_like(s)
    for k in tl.static_range(len(p)):
        term = tl.exp(p[k] * s)
        value += term
        slope += p[k] * term
    return value, slope


@triton.jit
def laplace(s, within, p):
    """Σ exp(r·√s) of rates r: p; slope 0 at s = 0."""
    inverse = tl.where(s == 0, 0.0, tl.rsqrt(s))
    root = s * inverse
    value = tl.zeros_like(s)
    slope = tl.zeros_like(s)
    for k in tl.static_range(len(p)):
        term = tl.exp(p[k] * root)
        value += term
        slope += p[k] * term
    return value, 0.5 * slope * inverse


@triton.jit
def rational_quadratic(s, within, p):
    """Σ (1 + s/(2α))^(−α): p holds the α, then the 1/(2α)."""
    n: tl.constexpr = len(p) // 2
    value = tl.zeros_like(s)
    slope = tl.zeros_like(s)
    for k in tl.static_range(n):
        base = 1 + s * p[n + k]
        term = tl.exp2(-p[k] * tl.log2(base))
        value += term
        slope -= 0.5 * term * reciprocal(base)
    return value, slope


@triton.jit
def energy(s, within, p):
    """−√s; slope 0 at s = 0."""
    inverse = tl.where(s == 0, 0.0, tl.rsqrt(s))
    return -s * inverse, -0.5 * inverse


@triton.jit
def inverse_root(s, within, p):
    """(1 + k·s)^(−1/2): p = (k,)."""
    term = tl.rsqrt(1 + p[0] * s)
    return term, (-0.5 * p[0]) * term * term * term


@triton.jit
def kummer(s, within, p):
    """₁F₁(1/2; d/2; −c·s) by Clenshaw's recurrence: p = (c, c·rate, series of the value, of the slope)."""
    n: tl.constexpr = (len(p) - 2) // 2
    r = reciprocal(1 + p[1] * s)
    t = 4 * r - 2
    a1 = tl.zeros_like(s)
    a2 = tl.zeros_like(s)
    b1 = tl.zeros_like(s)
    b2 = tl.zeros_like(s)
    for k in tl.static_range(n - 1):
        a0 = t * a1 - a2 + p[1 + n - k]
        b0 = t * b1 - b2 + p[1 + 2 * n - k]
        a2 = a1
        a1 = a0
        b2 = b1
        b1 = b0
    root = tl.sqrt(r)
    return root * (0.5 * t * a1 - a2 + p[2]), -p[0] * r * root * (0.5 * t * b1 - b2 + p[2 + n])


@triton.jit
def polynomial(product, within, p):
    """(γ·⟨a, b⟩ + c)^q: p = (γ, c, then q·γ, q − 1 times)."""
    base = p[0] * product + p[1]
    power = tl.zeros_like(base) + 1
    for _ in tl.static_range(len(p) - 3):
        power *= base
    return power * base, p[2] * power


class Arguments(NamedTuple):
    """What a launch passes for a profile."""

    function: Any
    numbers: tuple[float, ...]
    reach: float  # the squared distance up to which the profile may take a shorter way; infinite where it has none
    of_itself: float  # φ(0)
    inner: bool = False  # a function of the inner product


@functools.cache
def arguments(profile: str, parameters: tuple[float, ...], *, brief: bool) -> Arguments:
    """The profile of `reference.form` and its parameters as the kernels take them.

    brief: the fewest registers rather than the fewest divisions, for points of so many coordinates that the profile
    hardly counts.
    """
    unlimited, count = math.inf, float(len(parameters))
    match profile:
        case "imq" if len(parameters) <= MOST_IN_ONE and not brief:
            numbers, reach = _over_one_denominator(parameters)
            return Arguments(imq, numbers, reach, count)
        case "imq":
            return Arguments(imq_by_division, parameters, unlimited, count)
        case "gaussian":
            return Arguments(gaussian, tuple(-0.5 / (b * b) for b in parameters), unlimited, count)
        case "laplace":
            return Arguments(laplace, tuple(-1 / b for b in parameters), unlimited, count)
        case "rational_quadratic":
            halves = tuple(0.5 / a for a in parameters)
            return Arguments(rational_quadratic, parameters + halves, unlimited, count)
        case "energy":
            return Arguments(energy, (0.0,), unlimited, 0.0)
        case "inverse_root":
            return Arguments(inverse_root, parameters, unlimited, 1.0)
        case "kummer":
            c, rate, *series = parameters
            return Arguments(kummer, (c, c * rate, *series), unlimited, 1.0)
        case "polynomial":
            gamma, offset, degree = parameters
            return Arguments(
                polynomial, (gamma, offset, *[degree * gamma] * int(degree)), unlimited, math.nan, inner=True
            )
    raise AssertionError(profile)


def _over_one_denominator(constants: Sequence[float]) -> tuple[tuple[float, ...], float]:
    """Σ C/(C+s) = P/Q, its slope −N/(C̄·Q²), in t = s/C̄ with c = C/C̄; and the s up to which N stays a float32.

    Q = Π (c+t), P = Σ c·Π_others (c'+t), N = Σ c·Π_others (c'+t)². Returns the C, 1/C̄, and the coefficients, lowest
    first, of P, Q without its leading 1, and −N/C̄.
    """
    n = len(constants)
    mean = math.sqrt(min(constants) * max(constants))
    c = [constant / mean for constant in constants]
    above, down = [0.0] * n, [0.0] * (2 * n - 1)
    for k in range(n):
        others = _product(c[:k] + c[k + 1 :])
        for i, a in enumerate(others):
            above[i] += c[k] * a
            for j, b in enumerate(others):
                down[i + j] -= c[k] * a * b / mean
    reach = (LARGEST ** (1 / (2 * n - 1)) / 2 - max(c)) * mean
    return (*constants, 1 / mean, *above, *_product(c)[:-1], *down), reach


def _product(roots: Sequence[float]) -> list[float]:
    """Coefficients of Π (c+t), lowest first."""
    coefficients = [1.0]
    for c in roots:
        coefficients = [c * low + high for low, high in zip([*coefficients, 0.0], [0.0, *coefficients], strict=True)]
    return coefficients
