"""Generative adversarial network, a baseline without encoder."""

from collections.abc import Callable

from torch import Tensor, nn

from ..priors import Prior
from .base.generative import GenerativeModel
from .base.phase import Phase
from .objectives.adversarial import adversarial_phases, non_saturating_loss


class GAN(GenerativeModel):
    """Generator g and discriminator D of data: min_g max_D E log D(x) + E log(1 − D(g(z))), z from the prior.

    Args:
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        discriminator: network from x (n, *shape) to the logit of D (n,).
        prior: distribution of d dimensions.
        generator_loss: `non_saturating_loss`, −E log D(g(z)), or `minimax_loss`, E log(1 − D(g(z))).

    Source: Goodfellow et al. 2014, "Generative adversarial nets", equation (1) and section 3.
    """

    def __init__(
        self,
        decoder: nn.Module,
        discriminator: nn.Module,
        prior: Prior,
        generator_loss: Callable[[Tensor], Tensor] = non_saturating_loss,
    ) -> None:
        super().__init__(decoder, prior)
        self.discriminator, self.generator_loss = discriminator, generator_loss

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases "discriminator" and "generator"."""
        return adversarial_phases(
            self.discriminator,
            tuple(self.decoder.parameters()),
            real=lambda batch, context: batch.x,
            fake=lambda batch, context: self.decode(context.local_draw(len(batch.x), self.sample_latent)),
            generator_loss=self.generator_loss,
        )
