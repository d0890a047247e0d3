"""Wasserstein autoencoders: any penalty between codes and prior."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from ..losses import checks
from ..priors import Prior
from .autoencoder import Autoencoder, squared_error
from .phase import Batch


class WAE(Autoencoder):
    """Wasserstein autoencoder: E ‖x − g(f(x))‖² + λ·D(f(x), z), z from the prior.

    Args:
        encoder: f, from x (n, *shape) to codes (n, d).
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        penalty: D, from codes (n, d) and a sample of the prior (n, d) to a number, e.g. `fastlatent.nn.MMDIMQ()`.
        prior: of d dimensions.
        weight: λ, ≥ 0.

    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", equation (4).
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        penalty: Callable[[Tensor, Tensor], Tensor],
        prior: Prior,
        weight: float,
    ) -> None:
        super().__init__(encoder, decoder, prior)
        self.penalty, self.weight = penalty, checks.non_negative("weight", weight)

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        z = self.encode(batch.x)
        error = squared_error(batch.x, self.decode(z))
        penalty = self.penalty(z, self.prior_like(z))
        return {"loss": error + self.weight * penalty, "reconstruction": error, "penalty": penalty}
