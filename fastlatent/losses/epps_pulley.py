"""Sliced Epps–Pulley test of normality as a loss (Balestriero & LeCun 2025, "LeJEPA")."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.sliced import EppsPulley
from ..utils import checks
from ..utils.distributed import all_gather
from . import directions

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
    """Compute the sliced Epps–Pulley statistic against N(0, I), the SIGReg of LeJEPA.

    (1/L) Σ_l n ∫ |(1/n) Σᵢ e^(i t θ_lᵀxᵢ) − e^(−t²/2)|² e^(−t²/2) dt over [−t_max, t_max], by the trapezoid rule.

    Args:
        x: sample (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        n_projections: number L of random directions, ≥ 1.
        n_points: number of points of the trapezoid rule, both ends included, ≥ 2.
        t_max: half-width of the interval, > 0.
        projections: directions (d, L) with unit columns; None: random ones.
        generator: random generator of the directions; None: torch's default.
        group: torch.distributed group, the union of whose ranks' batches is the sample; None: this batch only.

    Returns:
        (...,) in the dtype of x, float32 for half precision.

    Raises:
        TypeError, ValueError: for arguments of other types, shapes or ranges.

    Source: Epps & Pulley 1983, "A test for normality based on the empirical characteristic function"; Balestriero &
    LeCun 2025, "LeJEPA", section 4.
    """
    checks.sample("x", x)
    n_points = checks.count("n_points", n_points, minimum=2)
    t_max = checks.positive("t_max", t_max)
    x = all_gather(x, group)
    theta = directions.resolve(x, n_projections, projections, generator, group)
    return EppsPulley(n_points, t_max)(x, theta)
