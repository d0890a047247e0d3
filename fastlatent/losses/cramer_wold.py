"""Cramér–Wold distance (Knop et al. 2020, "Cramer-Wold Auto-Encoder")."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.pairwise import PairwiseSum, kummer
from ..kernels.precision import accumulation_dtype
from ..utils import checks
from ..utils.distributed import all_gather

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

MIN_APPROXIMATION_DIM = 20  # from which the paper approximates Kummer's function


def cramer_wold(x: Tensor, y: Tensor, *, gamma: float | None = None, group: "ProcessGroup | None" = None) -> Tensor:
    """Compute the squared Cramér–Wold distance between two samples.

    1/(2√(πγ)) · [ Σ φ_d(‖xᵢ−xⱼ‖²/4γ)/n² + Σ φ_d(‖yᵢ−yⱼ‖²/4γ)/m² − 2 Σ φ_d(‖xᵢ−yⱼ‖²/4γ)/(nm) ],
    φ_d(s) = ₁F₁(1/2; d/2; −s) for d < 20, (1 + 4s/(2d−3))^(−1/2) for d ≥ 20.

    Args:
        x: sample (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        y: sample (..., m, d).
        gamma: variance γ > 0 of the smoothing Gaussian; None: Silverman's (4/(3n))^(2/5).
        group: torch.distributed group, the union of whose ranks' batches is the sample; None: this batch only.

    Returns:
        (...,) in the dtype of x, float32 for half precision; never negative except for rounding.

    Raises:
        TypeError, ValueError: for arguments of other types, shapes or ranges.

    Source: Knop et al. 2020, theorem 3.1, equations (9) to (11).
    """
    checks.samples(x, y)
    x, y = all_gather(x, group), all_gather(y, group)
    (n, d), m = x.shape[-2:], y.shape[-2]
    gamma = _gamma(gamma, n)
    factor = 1 / (2 * math.sqrt(math.pi * gamma))
    return _phi_sum(d, 1 / (4 * gamma), x.dtype, (factor / n**2, -2 * factor / (n * m), factor / m**2))(x, y)


def cramer_wold_normal(x: Tensor, *, gamma: float | None = None, group: "ProcessGroup | None" = None) -> Tensor:
    """Compute the squared Cramér–Wold distance between a sample and N(0, I).

    1/(2√π) · [ Σ φ_d(‖xᵢ−xⱼ‖²/4γ)/(n²√γ) + (1+γ)^(−1/2) − 2 Σ φ_d(‖xᵢ‖²/(2+4γ))/(n√(γ+1/2)) ].

    Args:
        x: sample (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        gamma: variance γ > 0 of the smoothing Gaussian; None: Silverman's (4/(3n))^(2/5).
        group: torch.distributed group, the union of whose ranks' batches is the sample; None: this batch only.

    Returns:
        (...,) in the dtype of x, float32 for half precision; never negative except for rounding.

    Raises:
        TypeError, ValueError: for arguments of other types, shapes or ranges.

    Source: Knop et al. 2020, theorem 3.2, equation (12).
    """
    checks.sample("x", x)
    x = all_gather(x, group)
    n, d = x.shape[-2:]
    gamma = _gamma(gamma, n)
    factor = 1 / (2 * math.sqrt(math.pi))
    empty, origin = x.new_empty(*x.shape[:-2], 0, d), x.new_zeros(*x.shape[:-2], 1, d)
    within = _phi_sum(d, 1 / (4 * gamma), x.dtype, (factor / (n**2 * math.sqrt(gamma)), 0.0, 0.0))
    to_normal = _phi_sum(d, 1 / (2 + 4 * gamma), x.dtype, (0.0, -2 * factor / (n * math.sqrt(gamma + 0.5)), 0.0))
    return within(x, empty) + to_normal(x, origin) + factor / math.sqrt(1 + gamma)


def _gamma(gamma: float | None, n: int) -> float:
    return (4 / (3 * n)) ** 0.4 if gamma is None else checks.positive("gamma", gamma)


def _phi_sum(d: int, rate: float, dtype: torch.dtype, weights: tuple[float, float, float]) -> PairwiseSum:
    """Return the operation that sums φ_d(rate·s) over all pairs with weights."""
    if d == 1:  # ₁F₁(1/2; 1/2; −s) = exp(−s)
        return PairwiseSum("gaussian", (math.sqrt(0.5 / rate),), weights, diagonal=True)
    if d >= MIN_APPROXIMATION_DIM:
        return PairwiseSum("inverse_root", (4 * rate / (2 * d - 3),), weights, diagonal=True)
    value, slope = kummer.coefficients(d, accumulation_dtype(dtype))
    return PairwiseSum("kummer", (rate, kummer.RATE, *value, *slope), weights, diagonal=True)
