"""Base class of all models: decoder, prior and training phases."""

import torch
from torch import Tensor, nn

from ...priors import Prior
from .phase import Phase


class GenerativeModel(nn.Module):
    """Decoder g and prior: samples are g(z), z from the prior.

    Args:
        decoder: network from codes (n, d) to x̂ (n, *shape).
        prior: distribution of d dimensions.
    """

    def __init__(self, decoder: nn.Module, prior: Prior) -> None:
        super().__init__()
        self.decoder, self.prior = decoder, prior

    @property
    def num_classes(self) -> int | None:
        """Number of classes; labels must be below it. None: the model does not use labels."""
        return None

    def decode(self, z: Tensor) -> Tensor:
        """Decode codes (n, d) to x̂ (n, *shape)."""
        return self.decoder(z)

    def sample_latent(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw n codes (n, d) from the prior, of the decoder's device and dtype."""
        weight = next(self.decoder.parameters())
        return self.prior.sample(n, generator=generator, device=weight.device, dtype=weight.dtype)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw n samples g(z) (n, *shape), z from the prior."""
        return self.decode(self.sample_latent(n, generator))

    def phases(self) -> tuple[Phase, ...]:
        """Return the training phases, in their order for each batch."""
        raise NotImplementedError
