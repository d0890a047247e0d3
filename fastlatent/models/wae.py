"""Wasserstein autoencoders, with a penalty between codes and prior or with a discriminator of codes."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from ..data.batch import Batch
from ..priors import Prior
from ..utils import checks
from .autoencoder import Autoencoder, squared_error
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext
from .base.phase import Phase
from .objectives.adversarial import ADVERSARIAL_BETA1, adversarial_phases, non_saturating_loss
from .objectives.penalties import Penalty


class WAE(Autoencoder):
    """Wasserstein autoencoder: E ‖x − g(f(x))‖² + λ·D(f(x), z), z from the prior.

    Args:
        encoder: f, from x (n, *shape) to codes (n, d).
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        penalty: D, from codes (n, d) and a sample of the prior (n, d) to a scalar, e.g. `fastlatent.nn.MMDIMQ()`.
        prior: distribution of d dimensions.
        weight: λ, ≥ 0.

    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", equation (4); D sliced: Kolouri et al. 2018;
    Cramér–Wold: Knop et al. 2020; Fréchet: Zhang et al. 2019; Epps–Pulley: Balestriero & LeCun 2025.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, penalty: Penalty, prior: Prior, weight: float) -> None:
        super().__init__(encoder, decoder, prior)
        self.penalty, self.weight = penalty, checks.non_negative("weight", weight)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of the objective; "loss" is their weighted sum."""
        z = self.encode(batch.x)
        error = squared_error(batch.x, self.decode(z))
        penalty = self.penalty(*self.penalty_inputs(z, context))
        return {"loss": error + self.weight * penalty, "reconstruction": error, "penalty": penalty}


class WAEGAN(Autoencoder):
    """Wasserstein autoencoder whose penalty is the Jensen–Shannon divergence, by a discriminator D of codes.

    The discriminator minimizes −E log D(z) − E log(1 − D(f(x))), z from the prior; encoder and decoder minimize
    E ‖x − g(f(x))‖² − λ·E log D(f(x)).

    Args:
        encoder, decoder, prior: as of `WAE`.
        discriminator: network from codes (n, d) to the logit of D (n,).
        weight: λ, ≥ 0.

    Source: Tolstikhin et al. 2018, algorithm 1.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, discriminator: nn.Module, prior: Prior, weight: float
    ) -> None:
        super().__init__(encoder, decoder, prior)
        self.discriminator, self.weight = discriminator, checks.non_negative("weight", weight)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of the objective; "loss" is their weighted sum."""
        z = self.encode(batch.x)
        error = squared_error(batch.x, self.decode(z))
        penalty = non_saturating_loss(self.discriminator(z))
        return {"loss": error + self.weight * penalty, "reconstruction": error, "penalty": penalty}

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases "discriminator" and "autoencoder"."""
        discriminator, _ = adversarial_phases(
            self.discriminator,
            (),
            real=lambda batch, context: context.local_draw(len(batch.x), self.sample_latent),
            fake=self.training_codes,
        )
        (autoencoder,) = super().phases()
        return discriminator, replace(autoencoder, beta1=ADVERSARIAL_BETA1)
