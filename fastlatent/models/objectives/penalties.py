"""Penalties between codes and prior by name: the losses, in closed form where the prior is N(0, I) and there is one."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from ... import nn as losses
from ...priors import Normal, Prior
from ...utils import checks

Penalty: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""From codes (n, d) and a sample of the prior (n, d) to a number."""

PenaltyName = Literal["mmd", "sliced", "cramer-wold", "frechet", "epps-pulley"]

BETWEEN_SAMPLES: dict[str, Callable[[], Penalty]] = {
    "mmd": losses.MMDIMQ,
    "sliced": losses.SlicedWasserstein,
    "cramer-wold": losses.CramerWold,
    "frechet": losses.FrechetDistance,
}
TO_NORMAL: dict[str, Callable[[], nn.Module]] = {
    "sliced": losses.SlicedWassersteinNormal,
    "cramer-wold": losses.CramerWoldNormal,
    "frechet": losses.FrechetDistanceNormal,
    "epps-pulley": losses.EppsPulley,
}


def penalty(name: PenaltyName, prior: Prior) -> Penalty:
    """The named penalty of codes that are to follow this prior.

    Args:
        name: "mmd" (inverse multiquadratic), "sliced", "cramer-wold", "frechet" or "epps-pulley" (for N(0, I) alone).
        prior: if it is N(0, I), the closed form against it is taken where there is one, else a sample is compared.

    Raises:
        ValueError: for another name, or "epps-pulley" with another prior.
    """
    checks.choice("penalty", name, (*BETWEEN_SAMPLES, "epps-pulley"))
    if name in TO_NORMAL and prior == Normal(prior.dim):
        return StandardNormalPenalty(TO_NORMAL[name]())
    if name not in BETWEEN_SAMPLES:
        raise ValueError(f"penalty {name!r} needs the prior Normal(std=1.0); got {prior}")
    return BETWEEN_SAMPLES[name]()


class StandardNormalPenalty(nn.Module):
    """A loss of codes alone, against N(0, I), as a penalty: the sample of the prior is not looked at."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, codes: Tensor, sample: Tensor) -> Tensor:
        return self.loss(codes)


class LogPenalty(nn.Module):
    """log D of a penalty D, the form of CWAE: its gradient, ∇D/D, does not die out as D falls.

    D is taken for at least ε = `torch.finfo(dtype).eps`, so that the value is finite where rounding makes D ≤ 0, and
    the gradient is 0 there: below ε, D is rounding.

    Args:
        penalty: D.

    Source: Knop et al. 2020, "Cramer-Wold Auto-Encoder", section 4.
    """

    def __init__(self, penalty: Penalty) -> None:
        super().__init__()
        self.penalty = penalty

    def forward(self, codes: Tensor, sample: Tensor) -> Tensor:
        distance = self.penalty(codes, sample)
        return distance.clamp_min(torch.finfo(distance.dtype).eps).log()
