"""Penalties between codes and prior by name: losses of `fastlatent.nn`, in closed form against N(0, I)."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from ... import nn as losses
from ...priors import Normal, Prior
from ...utils import checks

Penalty: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Function from codes (n, d) and a sample of the prior (n, d) to a scalar."""

PenaltyName = Literal["mmd", "sliced", "cramer-wold", "frechet", "epps-pulley"]

TWO_SAMPLE_PENALTIES: dict[str, Callable[[], Penalty]] = {
    "mmd": losses.MMDIMQ,
    "sliced": losses.SlicedWasserstein,
    "cramer-wold": losses.CramerWold,
    "frechet": losses.FrechetDistance,
}
STANDARD_NORMAL_PENALTIES: dict[str, Callable[[], nn.Module]] = {
    "sliced": losses.SlicedWassersteinNormal,
    "cramer-wold": losses.CramerWoldNormal,
    "frechet": losses.FrechetDistanceNormal,
    "epps-pulley": losses.EppsPulley,
}


def penalty(name: PenaltyName, prior: Prior) -> Penalty:
    """Return the named penalty between codes and a prior.

    Args:
        name: "mmd" (inverse multiquadratic), "sliced", "cramer-wold", "frechet" or "epps-pulley" (N(0, I) only).
        prior: distribution that the codes should match. For N(0, I) the closed form is used if there is one; otherwise
            codes are compared with a sample of the prior.

    Raises:
        ValueError: if the name is unknown, or if it is "epps-pulley" and the prior is not N(0, I).
    """
    checks.choice("penalty", name, (*TWO_SAMPLE_PENALTIES, "epps-pulley"))
    if name in STANDARD_NORMAL_PENALTIES and prior == Normal(prior.dim):
        return StandardNormalPenalty(STANDARD_NORMAL_PENALTIES[name]())
    if name not in TWO_SAMPLE_PENALTIES:
        raise ValueError(f"penalty {name!r} needs the prior Normal(std=1.0); got {prior}")
    return TWO_SAMPLE_PENALTIES[name]()


class StandardNormalPenalty(nn.Module):
    """Penalty from a loss of codes against N(0, I) in closed form; it ignores the sample of the prior.

    Args:
        loss: module from codes (n, d) to a scalar.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, codes: Tensor, sample: Tensor) -> Tensor:
        """Return the loss of the codes (n, d)."""
        return self.loss(codes)


class LogPenalty(nn.Module):
    """Logarithm log D of a penalty D, as in CWAE: its gradient ∇D/D does not vanish as D → 0.

    D is clamped to at least ε = `torch.finfo(dtype).eps`, below which D is rounding error: the value stays finite where
    rounding makes D ≤ 0, and the gradient is 0 there.

    Args:
        penalty: D, from codes (n, d) and a sample of the prior (n, d) to a scalar.

    Source: Knop et al. 2020, "Cramer-Wold Auto-Encoder", section 4.
    """

    def __init__(self, penalty: Penalty) -> None:
        super().__init__()
        self.penalty = penalty

    def forward(self, codes: Tensor, sample: Tensor) -> Tensor:
        """Return log max(D, ε) of codes (n, d) and a sample of the prior (n, d)."""
        distance = self.penalty(codes, sample)
        return distance.clamp_min(torch.finfo(distance.dtype).eps).log()
