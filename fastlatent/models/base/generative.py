"""What the trainer and the report need of a model: a decoder, a prior, and training phases."""

import torch
from torch import Tensor, nn

from ...priors import Prior
from .phase import Phase


class GenerativeModel(nn.Module):
    """A decoder g that turns draws of a prior into data: g(z), z from the prior.

    Args:
        decoder: from codes (n, d) to x̂ (n, *shape).
        prior: of d dimensions.
    """

    def __init__(self, decoder: nn.Module, prior: Prior) -> None:
        super().__init__()
        self.decoder, self.prior = decoder, prior

    @property
    def classes(self) -> int | None:
        """Number of classes that the model has room for: labels are below it; None: it looks at none."""
        return None

    def decode(self, z: Tensor) -> Tensor:
        """x̂ (n, *shape) from codes (n, d)."""
        return self.decoder(z)

    def draw(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n codes from the prior (n, d), of the decoder's device and dtype."""
        weight = next(self.decoder.parameters())
        return self.prior.sample(n, generator=generator, device=weight.device, dtype=weight.dtype)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """n new images: g(z), z from the prior."""
        return self.decode(self.draw(n, generator))

    def phases(self) -> tuple[Phase, ...]:
        """The training phases, in the order in which a batch goes through them."""
        raise NotImplementedError
