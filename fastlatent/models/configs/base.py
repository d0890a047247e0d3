"""What named models have in common: their options with defaults, and how to build them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from torch import nn

from ...priors import Normal, Prior, prior
from ...utils import checks
from .. import networks
from ..autoencoder import Autoencoder, DenoisingAutoencoder, DropoutAutoencoder
from ..base.generative import GenerativeModel

PriorName = Literal["normal", "uniform", "mixture", "swiss-roll"]


class ModelConfig(Protocol):
    """A model's options: a dataclass that can build it."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    source: ClassVar[str]
    takes: ClassVar[str]  # the kind of data, as in fastlatent.data

    def build(self, shape: Sequence[int]) -> GenerativeModel:
        """The model for data of this `Dataset.shape`: of x without the batch dimension; for rows see `TableDataset`."""


@dataclass(frozen=True)
class NetworksConfig:
    """The networks of a model, and how many coordinates its codes have."""

    takes: ClassVar[str] = "images"

    latent_dim: int = 8
    """Number of coordinates of a code."""
    hidden: tuple[int, ...] = (512, 512)
    """Widths of the encoder's hidden layers; the decoder has the same, reversed."""
    network: Literal["mlp", "conv", "acai"] = "mlp"
    """Layers: mlp, conv (sides that are multiples of 4) or acai (fully convolutional); the last two without HIDDEN."""

    def encoder(self, shape: Sequence[int], outputs: int | None = None) -> nn.Module:
        """From x (n, *shape) to (n, outputs); None: latent_dim.

        Raises:
            TypeError, ValueError: if latent_dim or a width is no integer ≥ 1, or the network takes no such shape.
        """
        self._check()
        make = {"conv": networks.conv_encoder, "acai": networks.acai_encoder}.get(self.network)
        outputs = outputs or self.latent_dim
        return make(shape, outputs) if make else networks.mlp_encoder(shape, outputs, self.hidden)

    def decoder(self, shape: Sequence[int], inputs: int | None = None) -> nn.Module:
        """From codes (n, inputs) to x̂ (n, *shape); None: latent_dim.

        Raises:
            TypeError, ValueError: as of `encoder`.
        """
        self._check()
        make = {"conv": networks.conv_decoder, "acai": networks.acai_decoder}.get(self.network)
        inputs = inputs or self.latent_dim
        return make(shape, inputs) if make else networks.mlp_decoder(shape, inputs, self.hidden)

    def critic(self, inputs: int) -> nn.Module:
        """From vectors (n, inputs) to a number each (n,)."""
        return networks.mlp_critic((inputs,), self.hidden)

    def data_critic(self, shape: Sequence[int]) -> nn.Module:
        """From x (n, *shape) to a number each (n,), of the same make as the encoder."""
        if self.network == "mlp":
            return networks.mlp_critic(shape, self.hidden)
        return nn.Sequential(self.encoder(shape), networks.MeanPool())

    def _check(self) -> None:
        checks.count("latent_dim", self.latent_dim)
        for width in self.hidden:
            checks.count("hidden", width)
        checks.choice("network", self.network, ("mlp", "conv", "acai"))


@dataclass(frozen=True)
class NetworksWithPriorConfig(NetworksConfig):
    """The networks of a model whose codes are to follow a prior."""

    prior: PriorName = "normal"
    """Distribution of the codes; mixture and swiss-roll are for --latent-dim 2."""
    sigma: float = 1.0
    """Scale σ of the prior."""

    def target(self) -> Prior:
        """The prior."""
        return prior(self.prior, self.latent_dim, self.sigma)


@dataclass(frozen=True)
class AEConfig(NetworksConfig):
    """Plain autoencoder: reconstruction only."""

    source: ClassVar[str] = "Hinton & Salakhutdinov 2006"

    def build(self, shape: Sequence[int]) -> Autoencoder:
        """The autoencoder; it draws its samples from N(0, I), though nothing makes its codes match it."""
        return Autoencoder(self.encoder(shape), self.decoder(shape), Normal(self.latent_dim))


@dataclass(frozen=True)
class DropoutAEConfig(NetworksConfig):
    """Autoencoder whose codes lose coordinates at random in training."""

    source: ClassVar[str] = "Srivastava et al. 2014"

    rate: float = 0.2
    """Probability that a coordinate is dropped."""

    def build(self, shape: Sequence[int]) -> DropoutAutoencoder:
        """The dropout autoencoder."""
        return DropoutAutoencoder(self.encoder(shape), self.decoder(shape), Normal(self.latent_dim), self.rate)


@dataclass(frozen=True)
class DenoisingAEConfig(NetworksConfig):
    """Denoising autoencoder: noisy data in, clean data out."""

    source: ClassVar[str] = "Vincent et al. 2008"

    noise: float = 0.3
    """Standard deviation of the noise added to data in [0, 1]."""

    def build(self, shape: Sequence[int]) -> DenoisingAutoencoder:
        """The denoising autoencoder."""
        return DenoisingAutoencoder(self.encoder(shape), self.decoder(shape), Normal(self.latent_dim), self.noise)
