"""The models that have a name: their options with defaults, and how to build them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from torch import nn

from ..losses import checks
from ..losses.mmd import SCALES
from ..nn import MMDIMQ
from ..priors import Normal, prior
from .autoencoder import Autoencoder
from .networks import mlp_decoder, mlp_encoder
from .wae import WAE


class Configuration(Protocol):
    """A model's options: a dataclass that can build it."""

    source: ClassVar[str]

    def build(self, shape: Sequence[int]) -> Autoencoder:
        """The model for data x of this shape (without the batch dimension)."""


@dataclass(frozen=True)
class AE:
    """Plain autoencoder: reconstruction only."""

    source: ClassVar[str] = "Hinton & Salakhutdinov 2006"

    latent_dim: int = 8
    """Number of coordinates of a code."""
    hidden: tuple[int, ...] = (512, 512)
    """Widths of the encoder's hidden layers; the decoder has the same, reversed."""

    def build(self, shape: Sequence[int]) -> Autoencoder:
        """The autoencoder; it draws its samples from N(0, I), though nothing makes its codes match it."""
        return Autoencoder(*self.networks(shape), Normal(self.latent_dim))

    def networks(self, shape: Sequence[int]) -> tuple[nn.Module, nn.Module]:
        """Encoder and decoder.

        Raises:
            TypeError, ValueError: if latent_dim or a width is no integer ≥ 1.
        """
        checks.count("latent_dim", self.latent_dim)
        for width in self.hidden:
            checks.count("hidden", width)
        return mlp_encoder(shape, self.latent_dim, self.hidden), mlp_decoder(shape, self.latent_dim, self.hidden)


@dataclass(frozen=True)
class WAEMMD(AE):
    """Wasserstein autoencoder with the MMD penalty, inverse multiquadratic kernel."""

    source: ClassVar[str] = "Tolstikhin et al. 2018"

    weight: float = 10.0
    """Weight λ of the penalty."""
    prior: Literal["normal", "uniform", "mixture", "swiss-roll"] = "normal"
    """Distribution of the codes; mixture and swiss-roll are for --latent-dim 2."""
    sigma: float = 1.0
    """Scale σ of the prior, and of the kernel."""
    scales: tuple[float, ...] = SCALES
    """Scales of the kernel: C = scale·2dσ²."""

    def build(self, shape: Sequence[int]) -> WAE:
        """The Wasserstein autoencoder."""
        penalty = MMDIMQ(scales=self.scales, sigma=self.sigma)
        target = prior(self.prior, self.latent_dim, self.sigma)
        return WAE(*self.networks(shape), penalty, target, self.weight)


CONFIGURATIONS: dict[str, type[Configuration]] = {"ae": AE, "wae-mmd": WAEMMD}
