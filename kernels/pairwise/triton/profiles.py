"""Kernel profiles φ in Triton: value and slope for a tile of squared distances (of inner products, for polynomials).

Arguments of each are the tile, whether all of it is within the `reach` of `arguments`, and the numbers that `arguments`
computes on the host. The formulas are those of reference.py.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import triton
import triton.language as tl

from ... import gpu

INTERPRETED = tl.constexpr(gpu.interpreted())
MAX_DENOMINATOR = 1e36  # bound of a common denominator in float32
MAX_COMMON = 7  # constants over one common denominator


@triton.jit
def reciprocal(x):
    """Compute 1/x by the approximate instruction, a fifth of the time of a division; by division when interpreted."""
    if INTERPRETED:
        return 1 / x
    else:
        return tl.inline_asm_elementwise("rcp.approx.ftz.f32 $0, $1;", "=r,r", [x], tl.float32, True, 1)


@triton.jit
def imq(s, within_reach, p):
    """Compute Σ C/(C+s), over a common denominator if that does not overflow: p from `_common_denominator`."""
    n: tl.constexpr = len(p) // 5
    if within_reach:
        # P/Q and −N/Q² by Horner's rule in s/C̄: all coefficients positive, no cancellation, one division
        t = s * p[n]
        p_value = tl.zeros_like(s) + p[2 * n]
        q_value = t + p[3 * n]
        n_value = tl.zeros_like(s) + p[5 * n - 1]
        for k in tl.static_range(n - 1):
            p_value = p_value * t + p[2 * n - 1 - k]
            q_value = q_value * t + p[3 * n - 1 - k]
        for k in tl.static_range(2 * n - 2):
            n_value = n_value * t + p[5 * n - 2 - k]
        inverse = reciprocal(q_value)
        value = p_value * inverse
        slope = n_value * inverse * inverse
    else:
        value, slope = _imq_by_division(s, p, n)
    return value, slope


@triton.jit
def imq_by_division(s, within_reach, p):
    """Compute Σ C/(C+s) of many constants C: p."""
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
def gaussian(s, within_reach, p):
    """Compute Σ exp(r·s) of rates r: p."""
    value = tl.zeros_like(s)
    slope = tl.zeros_like(s)
    for k in tl.static_range(len(p)):
        term = tl.exp(p[k] * s)
        value += term
        slope += p[k] * term
    return value, slope


@triton.jit
def laplace(s, within_reach, p):
    """Compute Σ exp(r·√s) of rates r: p; slope 0 at s = 0."""
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
def rational_quadratic(s, within_reach, p):
    """Compute Σ (1 + s/(2α))^(−α): p holds the α, then the 1/(2α)."""
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
def energy(s, within_reach, p):
    """Compute −√s; slope 0 at s = 0."""
    inverse = tl.where(s == 0, 0.0, tl.rsqrt(s))
    return -s * inverse, -0.5 * inverse


@triton.jit
def inverse_root(s, within_reach, p):
    """Compute (1 + k·s)^(−1/2): p = (k,)."""
    term = tl.rsqrt(1 + p[0] * s)
    return term, (-0.5 * p[0]) * term * term * term


@triton.jit
def kummer(s, within_reach, p):
    """Compute ₁F₁(1/2; d/2; −c·s) by Clenshaw's recurrence: p = (c, c·rate, series of the value, of the slope)."""
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
def polynomial(product, within_reach, p):
    """Compute (γ·⟨a, b⟩ + c)^q: p = (γ, c, then q·γ, q − 1 times)."""
    base = p[0] * product + p[1]
    power = tl.zeros_like(base) + 1
    for _ in tl.static_range(len(p) - 3):
        power *= base
    return power * base, p[2] * power


class Arguments(NamedTuple):
    """Launch arguments of a profile.

    Args:
        function: the Triton function.
        numbers: its constants.
        reach: squared distance up to which the function may use its faster formula; infinite if it has only one.
        phi0: φ(0).
        inner: whether φ is a function of the inner product.
    """

    function: Any
    numbers: tuple[float, ...]
    reach: float
    phi0: float
    inner: bool = False


@functools.cache
def arguments(profile: str, parameters: tuple[float, ...], *, few_registers: bool) -> Arguments:
    """Return the launch arguments of a profile of `reference.pairwise_sum`.

    Args:
        profile: its name.
        parameters: its parameters.
        few_registers: minimize registers instead of divisions, for points of so many coordinates that the time of the
            profile is negligible.
    """
    unlimited, count = math.inf, float(len(parameters))
    match profile:
        case "imq" if len(parameters) <= MAX_COMMON and not few_registers:
            numbers, reach = _common_denominator(parameters)
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


def _common_denominator(constants: Sequence[float]) -> tuple[tuple[float, ...], float]:
    """Return the numbers of Σ C/(C+s) = P/Q and its slope −N/(C̄·Q²) in t = s/C̄, c = C/C̄, and their reach.

    Q = Π (c+t), P = Σ c·Π_others (c'+t), N = Σ c·Π_others (c'+t)². The numbers are the C, 1/C̄, and the coefficients,
    lowest first, of P, Q without its leading 1, and −N/C̄. The reach is the s up to which N is finite in float32.
    """
    n = len(constants)
    mean = math.sqrt(min(constants) * max(constants))
    c = [constant / mean for constant in constants]
    p_value, n_value = [0.0] * n, [0.0] * (2 * n - 1)
    for k in range(n):
        others = _expand(c[:k] + c[k + 1 :])
        for i, a in enumerate(others):
            p_value[i] += c[k] * a
            for j, b in enumerate(others):
                n_value[i + j] -= c[k] * a * b / mean
    reach = (MAX_DENOMINATOR ** (1 / (2 * n - 1)) / 2 - max(c)) * mean
    return (*constants, 1 / mean, *p_value, *_expand(c)[:-1], *n_value), reach


def _expand(constants: Sequence[float]) -> list[float]:
    """Return the coefficients of Π (c+t), lowest first."""
    coefficients = [1.0]
    for c in constants:
        coefficients = [c * low + high for low, high in zip([*coefficients, 0.0], [0.0, *coefficients], strict=True)]
    return coefficients
