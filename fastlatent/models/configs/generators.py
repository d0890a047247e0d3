"""Configurations of VAE, GAN and VQ-VAE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ...priors import Normal
from ...utils import checks
from ..gan import GAN
from ..objectives.adversarial import minimax_loss, non_saturating_loss
from ..vae import VAE
from ..vqvae import VQVAE, Codebook
from .base import NetworksConfig


@dataclass(frozen=True)
class VAEConfig(NetworksConfig):
    """Variational autoencoder."""

    source: ClassVar[str] = "Kingma & Welling 2014"

    beta: float = 0.1
    """Weight β of the Kullback–Leibler divergence, 2s² for a decoder with Gaussian noise of standard deviation s."""

    def build(self, shape: Sequence[int]) -> VAE:
        """Build the variational autoencoder."""
        return VAE(self.encoder(shape, 2 * self.latent_dim), self.decoder(shape), self.latent_dim, self.beta)


@dataclass(frozen=True)
class GANConfig(NetworksConfig):
    """Generative adversarial network: a generator and a discriminator, no encoder."""

    source: ClassVar[str] = "Goodfellow et al. 2014"

    generator_loss: Literal["non-saturating", "minimax"] = "non-saturating"
    """Loss of the generator: non-saturating, −E log D(g(z)), or minimax, E log(1 − D(g(z)))."""

    def build(self, shape: Sequence[int]) -> GAN:
        """Build the generative adversarial network."""
        losses = {"non-saturating": non_saturating_loss, "minimax": minimax_loss}
        generator_loss = losses[checks.choice("generator_loss", self.generator_loss, tuple(losses))]
        return GAN(self.decoder(shape), self.data_critic(shape), Normal(self.latent_dim), generator_loss)


@dataclass(frozen=True)
class VQVAEConfig(NetworksConfig):
    """Vector-quantized autoencoder: codes composed of vectors of a codebook."""

    source: ClassVar[str] = "van den Oord et al. 2017"

    latent_dim: int = 16
    """Number of latent dimensions."""
    parts: int = 8
    """Number of vectors in a code, of LATENT_DIM / PARTS coordinates each."""
    entries: int = 64
    """Number of vectors in the codebook."""
    commitment: float = 0.25
    """Weight β of the commitment loss, the distance of the encoder's outputs from the codebook."""

    def build(self, shape: Sequence[int]) -> VQVAE:
        """Build the vector-quantized autoencoder.

        Raises:
            ValueError: if latent_dim is not a multiple of parts.
        """
        if checks.count("latent_dim", self.latent_dim) % checks.count("parts", self.parts):
            raise ValueError(f"latent_dim must be a multiple of parts = {self.parts}; got {self.latent_dim}")
        codebook = Codebook(self.entries, self.latent_dim // self.parts, self.parts)
        return VQVAE(self.encoder(shape), self.decoder(shape), codebook, self.commitment)
