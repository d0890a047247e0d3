"""The plain autoencoder, on which the other models stand, and two that are made to resist noise."""

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
    """Mean over the batch of ‖x − x̂‖²."""
    return nn.functional.mse_loss(reconstruction, x, reduction="sum") / len(x)


class Autoencoder(GenerativeModel):
    """Encoder f and decoder g trained to minimize E ‖x − g(f(x))‖².

    Args:
        encoder: from x (n, *shape) to codes (n, d).
        decoder: from codes (n, d) to x̂ (n, *shape).
        prior: of d dimensions, from which `sample` draws its codes. Nothing here makes the codes match it.

    Source: Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: Prior) -> None:
        super().__init__(decoder, prior)
        self.encoder = encoder

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, d) of x (n, *shape)."""
        return self.encoder(x)

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction g(f(x))."""
        return self.decode(self.encode(x))

    def codes(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Codes (n, d) of a batch as the decoder meets them in training: what is to be distributed like the prior."""
        return self.encode(batch.x)

    def reconstruct(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """x̂ (n, *shape) of a batch."""
        return self.decode(self.codes(batch, context))

    def prior_like(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A fresh sample of the prior with the size, device and dtype of the codes z."""
        return self.prior.sample(len(z), generator=generator, device=z.device, dtype=z.dtype)

    def compared(self, z: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> tuple[Tensor, Tensor]:
        """What a penalty compares: the codes of the whole batch, all ranks', and as large a sample of the prior."""
        codes = context.all_gather(z)
        return codes, self.prior_like(codes)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """The terms of the objective; "loss" is their sum."""
        error = squared_error(batch.x, self.reconstruct(batch, context))
        return {"loss": error, "reconstruction": error}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("autoencoder", (*self.encoder.parameters(), *self.decoder.parameters()), self.loss),)


class DropoutAutoencoder(Autoencoder):
    """Autoencoder whose codes lose coordinates at random in training: E ‖x − g(m ⊙ f(x)/(1 − rate))‖².

    Each coordinate of m is 0 with probability `rate`, else 1; when the model is evaluated nothing is dropped.

    Args:
        encoder, decoder, prior: as of `Autoencoder`.
        rate: probability that a coordinate is dropped, in [0, 1).

    Source: Srivastava et al. 2014, "Dropout"; on the code as the baseline of Berthelot et al. 2018, section 4.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: Prior, rate: float = 0.2) -> None:
        super().__init__(encoder, decoder, prior)
        self.rate = checks.fraction("rate", rate)

    def reconstruct(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        z = self.codes(batch, context)
        if self.training:
            z = z * (context.uniform(*z.shape, like=z) >= self.rate) / (1 - self.rate)
        return self.decode(z)


class DenoisingAutoencoder(Autoencoder):
    """Autoencoder that is shown noisy data and asked for the clean: E ‖x − g(f(x + ε))‖², ε from N(0, noise²·I).

    Args:
        encoder, decoder, prior: as of `Autoencoder`.
        noise: standard deviation of ε, ≥ 0.

    Source: Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders".
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: Prior, noise: float = 0.3) -> None:
        super().__init__(encoder, decoder, prior)
        self.noise = checks.non_negative("noise", noise)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        error = squared_error(batch.x, self(batch.x + self.noise * context.normal_like(batch.x)))
        return {"loss": error, "reconstruction": error}
