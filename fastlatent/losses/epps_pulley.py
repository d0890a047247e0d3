"""Tests of normality as losses (Balestriero & LeCun 2025, "LeJEPA")."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.sliced import EppsPulley
from ..utils import checks
from . import directions
from .distributed import gather

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


def epps_pulley(
    x: Tensor,
    *,
    n_projections: int = 128,
    n_points: int = 17,
    t_max: float = 3.0,
    projections: Tensor | None = None,
    generator: torch.Generator | None = None,
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Sliced Epps–Pulley statistic against N(0, I), the SIGReg of LeJEPA.

    (1/L) Σ_l n ∫ |(1/n) Σᵢ e^(i t θ_lᵀxᵢ) − e^(−t²/2)|² e^(−t²/2) dt over [−t_max, t_max], by the trapezoid rule.

    Args:
        x: sample (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        n_projections: L, how many random directions.
        n_points: of the trapezoid rule, ends included, ≥ 2.
        t_max: half width of the integral, > 0.
        projections: directions (d, L), unit columns.
        generator: source of the random directions.
        group: take the loss over the batches of all ranks of this torch.distributed group.

    Returns:
        (...,) in the dtype of x, float32 for half precision.

    Raises:
        TypeError, ValueError: for arguments outside what is said here.

    Source: Epps & Pulley 1983, "A test for normality based on the empirical characteristic function"; Balestriero &
    LeCun 2025, "LeJEPA", section 4.
    """
    checks.sample("x", x)
    checks.count("n_points", n_points, least=2)
    t_max = checks.positive("t_max", t_max)
    x = gather(x, group)
    theta = directions.for_sample(x, n_projections, projections, generator, group)
    return EppsPulley(n_points, t_max)(x, theta)
