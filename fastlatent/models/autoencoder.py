"""The plain autoencoder, on which the other models stand."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..priors import Prior
from .phase import Batch, Loss, Phase


def squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean over the batch of ‖x − x̂‖²."""
    return (x - reconstruction).square().flatten(1).sum(1).mean()


class Autoencoder(nn.Module):
    """Encoder f and decoder g trained to minimise E ‖x − g(f(x))‖².

    Args:
        encoder: from x (n, *shape) to codes (n, d).
        decoder: from codes (n, d) to x̂ (n, *shape).
        prior: of d dimensions, from which `sample` draws its codes. Nothing here makes the codes match it.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: Prior) -> None:
        super().__init__()
        self.encoder, self.decoder, self.prior = encoder, decoder, prior

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, d) of x (n, *shape)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """x̂ (n, *shape) from codes (n, d)."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction g(f(x))."""
        return self.decode(self.encode(x))

    def prior_like(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A fresh sample of the prior with the size, device and dtype of the codes z."""
        return self.prior.sample(len(z), generator=generator, device=z.device, dtype=z.dtype)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """n new images: g(z), z from the prior."""
        weight = next(self.decoder.parameters())
        return self.decode(self.prior.sample(n, generator=generator, device=weight.device, dtype=weight.dtype))

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """The terms of the objective; "loss" is their sum."""
        error = squared_error(batch.x, self(batch.x))
        return {"loss": error, "reconstruction": error}

    def phases(self) -> tuple[Phase, ...]:
        """The training phases, in the order in which a batch goes through them."""
        return (Phase("autoencoder", tuple(self.parameters()), self.loss),)

    def training_step(self, batch: Batch, loss: Loss) -> Mapping[str, Tensor]:
        """A phase's terms; a method of the model so that wrappers around it (precision, devices) see the call."""
        return loss(batch)
