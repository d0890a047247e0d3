"""Configurations of Wasserstein autoencoders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ...losses.kernels import SCALES
from ...nn import MMDIMQ
from ..objectives.penalties import LogPenalty, Penalty, PenaltyName, penalty
from ..wae import WAE, WAEGAN
from .base import NetworksWithPriorConfig


@dataclass(frozen=True)
class _WAEConfig(NetworksWithPriorConfig):
    source: ClassVar[str]
    penalty_name: ClassVar[PenaltyName]

    weight: float = 10.0
    """Weight λ of the penalty."""

    def build_penalty(self) -> Penalty:
        """Build the penalty between codes and prior."""
        return penalty(self.penalty_name, self.build_prior())

    def build(self, shape: Sequence[int]) -> WAE:
        """Build the Wasserstein autoencoder."""
        return WAE(self.encoder(shape), self.decoder(shape), self.build_penalty(), self.build_prior(), self.weight)


@dataclass(frozen=True)
class WAEMMDConfig(_WAEConfig):
    """Wasserstein autoencoder with the MMD penalty, inverse multiquadratic kernel."""

    source: ClassVar[str] = "Tolstikhin et al. 2018"

    sigma: float = 1.0
    """Scale σ of the prior and of the kernel."""
    scales: tuple[float, ...] = SCALES
    """Scales of the kernel: C = scale·2dσ²."""

    def build_penalty(self) -> Penalty:
        """Build the MMD with these scales."""
        return MMDIMQ(scales=self.scales, sigma=self.sigma)


@dataclass(frozen=True)
class SWAEConfig(_WAEConfig):
    """Sliced Wasserstein autoencoder."""

    source: ClassVar[str] = "Kolouri et al. 2018"
    penalty_name: ClassVar[PenaltyName] = "sliced"


@dataclass(frozen=True)
class CWAEConfig(_WAEConfig):
    """Cramér–Wold autoencoder: the logarithm of the Cramér–Wold distance."""

    source: ClassVar[str] = "Knop et al. 2020"
    penalty_name: ClassVar[PenaltyName] = "cramer-wold"

    weight: float = 1.0
    """Weight λ of the penalty."""

    def build_penalty(self) -> Penalty:
        """Build the logarithm of the Cramér–Wold distance."""
        return LogPenalty(super().build_penalty())


@dataclass(frozen=True)
class WWAEConfig(_WAEConfig):
    """Wasserstein–Wasserstein autoencoder: the Fréchet distance of fitted Gaussians."""

    source: ClassVar[str] = "Zhang et al. 2019"
    penalty_name: ClassVar[PenaltyName] = "frechet"


@dataclass(frozen=True)
class WAEEppsPulleyConfig(_WAEConfig):
    """Wasserstein autoencoder with the sliced Epps–Pulley penalty (SIGReg), for N(0, I)."""

    source: ClassVar[str] = "Balestriero & LeCun 2025"
    penalty_name: ClassVar[PenaltyName] = "epps-pulley"

    weight: float = 1.0
    """Weight λ of the penalty, which grows with the batch size."""


@dataclass(frozen=True)
class WAEGANConfig(NetworksWithPriorConfig):
    """Wasserstein autoencoder whose penalty is the Jensen–Shannon divergence, by a discriminator."""

    source: ClassVar[str] = "Tolstikhin et al. 2018"

    weight: float = 1.0
    """Weight λ of the penalty."""

    def build(self, shape: Sequence[int]) -> WAEGAN:
        """Build the Wasserstein autoencoder with its discriminator."""
        discriminator = self.code_discriminator(self.latent_dim)
        return WAEGAN(self.encoder(shape), self.decoder(shape), discriminator, self.build_prior(), self.weight)
