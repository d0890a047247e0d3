"""Base classes of named model configurations, and the plain autoencoders."""

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
    """Configuration of a model: a dataclass of its options, with a method that builds the model."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    source: ClassVar[str]
    data_kind: ClassVar[str]  # `Dataset.kind` of the data that the model is for

    def build(self, shape: Sequence[int]) -> GenerativeModel:
        """Build the model.

        Args:
            shape: `Dataset.shape`: the shape of x without the batch dimension; for rows see `TableDataset`.
        """


@dataclass(frozen=True)
class NetworksConfig:
    """Configuration of the networks, and the number of latent dimensions."""

    data_kind: ClassVar[str] = "images"

    latent_dim: int = 8
    """Number of latent dimensions."""
    hidden: tuple[int, ...] = (512, 512)
    """Widths of the encoder's hidden layers, reversed in the decoder."""
    network: Literal["mlp", "conv", "acai"] = "mlp"
    """Architecture: mlp (layers of widths HIDDEN), conv (sides multiples of 4), or acai (fully convolutional)."""

    def encoder(self, shape: Sequence[int], outputs: int | None = None) -> nn.Module:
        """Build an encoder from x (n, *shape) to (n, outputs).

        Args:
            shape: shape of x without the batch dimension.
            outputs: number of outputs; None: latent_dim.

        Raises:
            TypeError, ValueError: if latent_dim or a width is not an integer ≥ 1, or the shape does not suit the
                network.
        """
        self._check()
        build = {"conv": networks.conv_encoder, "acai": networks.acai_encoder}.get(self.network)
        outputs = outputs or self.latent_dim
        return build(shape, outputs) if build else networks.mlp_encoder(shape, outputs, self.hidden)

    def decoder(self, shape: Sequence[int], inputs: int | None = None) -> nn.Module:
        """Build a decoder from codes (n, inputs) to x̂ (n, *shape).

        Args:
            shape: shape of x without the batch dimension.
            inputs: number of inputs; None: latent_dim.

        Raises:
            TypeError, ValueError: as of `encoder`.
        """
        self._check()
        build = {"conv": networks.conv_decoder, "acai": networks.acai_decoder}.get(self.network)
        inputs = inputs or self.latent_dim
        return build(shape, inputs) if build else networks.mlp_decoder(shape, inputs, self.hidden)

    def code_discriminator(self, inputs: int) -> nn.Module:
        """Build a discriminator from vectors (n, inputs) to logits (n,)."""
        return networks.mlp_critic((inputs,), self.hidden)

    def data_critic(self, shape: Sequence[int]) -> nn.Module:
        """Build a critic or discriminator from x (n, *shape) to scalars (n,), of the encoder's architecture."""
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
    """Configuration of the networks and the prior."""

    prior: PriorName = "normal"
    """Prior distribution of the codes; mixture and swiss-roll need --latent-dim 2."""
    sigma: float = 1.0
    """Scale σ of the prior."""

    def build_prior(self) -> Prior:
        """Build the prior."""
        return prior(self.prior, self.latent_dim, self.sigma)


@dataclass(frozen=True)
class AEConfig(NetworksConfig):
    """Plain autoencoder: reconstruction only."""

    source: ClassVar[str] = "Hinton & Salakhutdinov 2006"

    def build(self, shape: Sequence[int]) -> Autoencoder:
        """Build the autoencoder, with the prior N(0, I); no term of its loss matches codes to the prior."""
        return Autoencoder(self.encoder(shape), self.decoder(shape), Normal(self.latent_dim))


@dataclass(frozen=True)
class DropoutAEConfig(NetworksConfig):
    """Autoencoder with dropout on the codes."""

    source: ClassVar[str] = "Srivastava et al. 2014"

    rate: float = 0.2
    """Dropout probability of a coordinate."""

    def build(self, shape: Sequence[int]) -> DropoutAutoencoder:
        """Build the dropout autoencoder."""
        return DropoutAutoencoder(self.encoder(shape), self.decoder(shape), Normal(self.latent_dim), self.rate)


@dataclass(frozen=True)
class DenoisingAEConfig(NetworksConfig):
    """Denoising autoencoder: reconstruction of data from noisy inputs."""

    source: ClassVar[str] = "Vincent et al. 2008"

    noise: float = 0.3
    """Standard deviation of the noise added to data in [0, 1]."""

    def build(self, shape: Sequence[int]) -> DenoisingAutoencoder:
        """Build the denoising autoencoder."""
        return DenoisingAutoencoder(self.encoder(shape), self.decoder(shape), Normal(self.latent_dim), self.noise)
