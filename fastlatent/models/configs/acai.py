"""Configurations of ACAI, without and with a penalty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..acai import ACAI
from ..objectives.penalties import PenaltyName, penalty
from .base import NetworksWithPriorConfig

BERTHELOT = "Berthelot et al. 2018"


@dataclass(frozen=True)
class ACAIConfig(NetworksWithPriorConfig):
    """Adversarially constrained autoencoder interpolation, with any penalty or none."""

    source: ClassVar[str] = BERTHELOT

    penalty: PenaltyName | Literal["none"] = "none"
    """Penalty between codes and prior."""
    weight: float = 10.0
    """Weight of the penalty."""
    interpolation_weight: float = 0.5
    """Weight λ of the interpolation term per value of x, as in the authors' code, where errors are pixel means."""
    gamma: float = 0.2
    """Weight γ of the data in the convex combinations of data and reconstructions that regularize the critic."""

    def build(self, shape: Sequence[int]) -> ACAI:
        """Build the autoencoder with its critic."""
        prior = self.build_prior()
        return ACAI(
            self.encoder(shape),
            self.decoder(shape),
            self.data_critic(shape),
            prior,
            interpolation_weight=self.interpolation_weight * math.prod(shape),
            gamma=self.gamma,
            penalty=None if self.penalty == "none" else penalty(self.penalty, prior),
            weight=self.weight,
        )


@dataclass(frozen=True)
class ACAIMMDConfig(ACAIConfig):
    """ACAI with the penalty of WAE-MMD."""

    source: ClassVar[str] = f"{BERTHELOT}, Tolstikhin et al. 2018"

    penalty: PenaltyName | Literal["none"] = "mmd"
    """Penalty between codes and prior."""


@dataclass(frozen=True)
class ACAIWWAEConfig(ACAIConfig):
    """ACAI with the penalty of WWAE."""

    source: ClassVar[str] = f"{BERTHELOT}, Zhang et al. 2019"

    penalty: PenaltyName | Literal["none"] = "frechet"
    """Penalty between codes and prior."""
