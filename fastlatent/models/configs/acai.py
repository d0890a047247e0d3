"""Named forms of ACAI."""

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
    """Adversarially constrained autoencoder interpolation, under any penalty or none."""

    source: ClassVar[str] = BERTHELOT

    penalty: PenaltyName | Literal["none"] = "none"
    """Penalty between codes and prior."""
    weight: float = 10.0
    """Weight of the penalty."""
    strength: float = 0.5
    """Weight λ of the critic, per value of x, as in the authors' code, where errors are means over pixels."""
    mix: float = 0.2
    """Share γ of the data in what the critic sees of it."""

    def build(self, shape: Sequence[int]) -> ACAI:
        """The autoencoder with its critic of data."""
        target = self.target()
        return ACAI(
            self.encoder(shape),
            self.decoder(shape),
            self.data_critic(shape),
            target,
            strength=self.strength * math.prod(shape),
            mix=self.mix,
            penalty=None if self.penalty == "none" else penalty(self.penalty, target),
            weight=self.weight,
        )


@dataclass(frozen=True)
class ACAIMMDConfig(ACAIConfig):
    """ACAI and WAE-MMD: interpolations that deceive a critic, codes that follow the prior."""

    source: ClassVar[str] = f"{BERTHELOT}, Tolstikhin et al. 2018"

    penalty: PenaltyName | Literal["none"] = "mmd"
    """Penalty between codes and prior."""


@dataclass(frozen=True)
class ACAIWWAEConfig(ACAIConfig):
    """ACAI and WWAE: interpolations that deceive a critic, codes that follow the prior."""

    source: ClassVar[str] = f"{BERTHELOT}, Zhang et al. 2019"

    penalty: PenaltyName | Literal["none"] = "frechet"
    """Penalty between codes and prior."""
