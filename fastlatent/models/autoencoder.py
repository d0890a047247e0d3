"""Plain, dropout and denoising autoencoders."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..data.batch import Batch
from ..priors import Prior
from ..utils import checks
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext
from .base.generative import GenerativeModel
from .base.phase import Phase


def squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Return the mean over the batch of ‖x − x̂‖²."""
    return nn.functional.mse_loss(reconstruction, x, reduction="sum") / len(x)


class Autoencoder(GenerativeModel):
    """Encoder f and decoder g trained to minimize E ‖x − g(f(x))‖².

    Args:
        encoder: network from x (n, *shape) to codes (n, d).
        decoder: network from codes (n, d) to x̂ (n, *shape).
        prior: distribution of d dimensions, from which `sample` draws codes; no term of the loss matches codes to it.

    Source: Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: Prior) -> None:
        super().__init__(decoder, prior)
        self.encoder = encoder

    def encode(self, x: Tensor) -> Tensor:
        """Encode x (n, *shape) to codes (n, d)."""
        return self.encoder(x)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction g(f(x))."""
        return self.decode(self.encode(x))

    def training_codes(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return the decoder's inputs in training, codes (n, d) whose distribution should match the prior."""
        return self.encode(batch.x)

    def reconstruct(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return the reconstruction x̂ (n, *shape) of a batch."""
        return self.decode(self.training_codes(batch, context))

    def prior_like(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw a sample of the prior with the size, device and dtype of the codes z."""
        return self.prior.sample(len(z), generator=generator, device=z.device, dtype=z.dtype)

    def penalty_inputs(self, z: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> tuple[Tensor, Tensor]:
        """Return the codes of the whole batch, gathered from all ranks, and a sample of the prior of the same size."""
        codes = context.all_gather(z)
        return codes, self.prior_like(codes)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of the objective; "loss" is their weighted sum."""
        error = squared_error(batch.x, self.reconstruct(batch, context))
        return {"loss": error, "reconstruction": error}

    def phases(self) -> tuple[Phase, ...]:
        """Return one phase, which minimizes `loss` in encoder and decoder."""
        return (Phase("autoencoder", (*self.encoder.parameters(), *self.decoder.parameters()), self.loss),)


class DropoutAutoencoder(Autoencoder):
    """Autoencoder with dropout on the codes in training: E ‖x − g(m ⊙ f(x)/(1 − rate))‖².

    Each coordinate of m is 0 with probability `rate`, else 1. In evaluation mode there is no dropout.

    Args:
        encoder, decoder, prior: as of `Autoencoder`.
        rate: dropout probability of a coordinate, in [0, 1).

    Source: Srivastava et al. 2014, "Dropout"; on the code as the baseline of Berthelot et al. 2018, section 4.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: Prior, rate: float = 0.2) -> None:
        super().__init__(encoder, decoder, prior)
        self.rate = checks.fraction("rate", rate)

    def reconstruct(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return the reconstruction x̂ (n, *shape) of a batch, in training with dropout on the codes."""
        z = self.training_codes(batch, context)
        if self.training:
            z = z * (context.uniform(*z.shape, like=z) >= self.rate) / (1 - self.rate)
        return self.decode(z)


class DenoisingAutoencoder(Autoencoder):
    """Autoencoder that reconstructs data from noisy inputs: E ‖x − g(f(x + ε))‖², ε from N(0, noise²·I).

    Args:
        encoder, decoder, prior: as of `Autoencoder`.
        noise: standard deviation of ε, ≥ 0.

    Source: Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders".
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: Prior, noise: float = 0.3) -> None:
        super().__init__(encoder, decoder, prior)
        self.noise = checks.non_negative("noise", noise)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the squared error of the reconstruction from the noisy input."""
        error = squared_error(batch.x, self(batch.x + self.noise * context.normal_like(batch.x)))
        return {"loss": error, "reconstruction": error}
