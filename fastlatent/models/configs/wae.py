"""Named Wasserstein autoencoders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ...losses.mmd import SCALES
from ...nn import MMDIMQ
from ..objectives.penalties import LogPenalty, Penalty, PenaltyName, penalty
from ..wae import WAE, WAEGAN
from .base import NetworksWithPriorConfig


@dataclass(frozen=True)
class _WAE(NetworksWithPriorConfig):
    source: ClassVar[str]
    kind: ClassVar[PenaltyName]

    weight: float = 10.0
    """Weight λ of the penalty."""

    def penalty(self) -> Penalty:
        """D."""
        return penalty(self.kind, self.target())

    def build(self, shape: Sequence[int]) -> WAE:
        """The Wasserstein autoencoder."""
        return WAE(self.encoder(shape), self.decoder(shape), self.penalty(), self.target(), self.weight)


@dataclass(frozen=True)
class WAEMMDConfig(_WAE):
    """Wasserstein autoencoder with the MMD penalty, inverse multiquadratic kernel."""

    source: ClassVar[str] = "Tolstikhin et al. 2018"

    sigma: float = 1.0
    """Scale σ of the prior, and of the kernel."""
    scales: tuple[float, ...] = SCALES
    """Scales of the kernel: C = scale·2dσ²."""

    def penalty(self) -> Penalty:
        """The MMD with the scales asked for."""
        return MMDIMQ(scales=self.scales, sigma=self.sigma)


@dataclass(frozen=True)
class SWAEConfig(_WAE):
    """Sliced Wasserstein autoencoder."""

    source: ClassVar[str] = "Kolouri et al. 2018"
    kind: ClassVar[PenaltyName] = "sliced"


@dataclass(frozen=True)
class CWAEConfig(_WAE):
    """Cramér–Wold autoencoder: the logarithm of the Cramér–Wold distance."""

    source: ClassVar[str] = "Knop et al. 2020"
    kind: ClassVar[PenaltyName] = "cramer-wold"

    weight: float = 1.0
    """Weight λ of the penalty."""

    def penalty(self) -> Penalty:
        """log of the distance."""
        return LogPenalty(super().penalty())


@dataclass(frozen=True)
class WWAEConfig(_WAE):
    """Wasserstein–Wasserstein autoencoder: the Fréchet distance of fitted Gaussians."""

    source: ClassVar[str] = "Zhang et al. 2019"
    kind: ClassVar[PenaltyName] = "frechet"


@dataclass(frozen=True)
class WAEEppsPulleyConfig(_WAE):
    """Wasserstein autoencoder with the sliced Epps–Pulley penalty (SIGReg), for N(0, I)."""

    source: ClassVar[str] = "Balestriero & LeCun 2025"
    kind: ClassVar[PenaltyName] = "epps-pulley"

    weight: float = 1.0
    """Weight λ of the penalty, which grows with the batch."""


@dataclass(frozen=True)
class WAEGANConfig(NetworksWithPriorConfig):
    """Wasserstein autoencoder whose penalty is the Jensen–Shannon divergence, by a critic."""

    source: ClassVar[str] = "Tolstikhin et al. 2018"

    weight: float = 1.0
    """Weight λ of the penalty."""

    def build(self, shape: Sequence[int]) -> WAEGAN:
        """The Wasserstein autoencoder with its critic."""
        critic = self.critic(self.latent_dim)
        return WAEGAN(self.encoder(shape), self.decoder(shape), critic, self.target(), self.weight)
