"""Chebyshev series for Kummer's function ₁F₁(1/2; d/2; −u), the profile of Cramér–Wold distances in few dimensions.

With r = 1/(1+u/20), which maps u ≥ 0 to 0 < r ≤ 1, the function is √r times a smooth function of r, and its
derivative is −r^{3/2} times another. Their Chebyshev series converge to float32 precision at degree
`DEGREES[float32]` and to float64 precision at `DEGREES[float64]`, for every d ≥ 2 (d = 1 is exp(−u)).

Source: Abramowitz & Stegun, 13.1.2 (series), 13.1.27 (Kummer's transformation), 13.4.8 (derivative), 13.5.1 (large u).
"""

import functools
import math

import numpy as np
import torch

RATE = 1 / 20
DEGREES = {torch.float32: 19, torch.float64: 42}
NODES = 128
LARGE = 60.0  # u above which the asymptotic series is exact in float64: its error is of order e^(−u)


def hyp1f1(a: float, b: float, u: np.ndarray) -> np.ndarray:
    """Compute ₁F₁(a; b; −u) for u ≥ 0 and 0 < a < b, in float64."""
    small = np.minimum(u, LARGE)
    term = np.exp(-small)  # e^(−u) ₁F₁(b−a; b; u): all terms positive
    series = term.copy()
    for k in range(250):
        term = term * ((b - a + k) / (b + k) / (k + 1)) * small
        series += term
    large = np.maximum(u, LARGE)
    term = math.gamma(b) / math.gamma(b - a) * large**-a
    tail = term.copy()
    for k in range(40):
        term = term * ((a + k) * (a - b + 1 + k) / (k + 1)) / large
        tail += term
    return np.where(u < LARGE, series, tail)


def coefficients(d: int, dtype: torch.dtype) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the Chebyshev coefficients in 2r−1 of ₁F₁/√r and of −(d/du ₁F₁)/r^{3/2}, lowest first."""
    return _coefficients(int(d), dtype)  # a tensor under torch.jit.trace


# torch.compile stores the numbers, not the NumPy code. The decorator torch.compiler.assume_constant_result does the
# same, but imports the compiler, which takes longer than all other imports.
coefficients._dynamo_marked_constant = True  # type: ignore[attr-defined]


@functools.cache
def _coefficients(d: int, dtype: torch.dtype) -> tuple[tuple[float, ...], tuple[float, ...]]:
    angles = (np.arange(NODES) + 0.5) * np.pi / NODES
    r = (np.cos(angles) + 1) / 2
    u = (1 / r - 1) / RATE
    value = hyp1f1(0.5, d / 2, u) / np.sqrt(r)
    slope = hyp1f1(1.5, d / 2 + 1, u) / d / r**1.5
    count = DEGREES[dtype] + 1
    cosines = np.cos(np.outer(np.arange(count), angles)) * (2 / NODES)
    cosines[0] /= 2
    return tuple((cosines @ value).tolist()), tuple((cosines @ slope).tolist())
