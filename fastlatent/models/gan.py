"""Generative adversarial network: the baseline that has no encoder."""

from collections.abc import Callable

from torch import Tensor, nn

from ..priors import Prior
from .base.generative import GenerativeModel
from .base.phase import Phase
from .objectives.adversarial import game, non_saturating_loss


class GAN(GenerativeModel):
    """Decoder g against a critic of data: min_g max_D E log D(x) + E log(1 − D(g(z))), z from the prior.

    Args:
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        critic: from x (n, *shape) to the logit of D (n,).
        prior: of d dimensions.
        maker_loss: `non_saturating_loss`, −E log D(g(z)), or `minimax_loss`, E log(1 − D(g(z))).

    Source: Goodfellow et al. 2014, "Generative adversarial nets", equation (1) and section 3.
    """

    def __init__(
        self,
        decoder: nn.Module,
        critic: nn.Module,
        prior: Prior,
        maker_loss: Callable[[Tensor], Tensor] = non_saturating_loss,
    ) -> None:
        super().__init__(decoder, prior)
        self.critic, self.maker_loss = critic, maker_loss

    def phases(self) -> tuple[Phase, ...]:
        return game(
            self.critic,
            tuple(self.decoder.parameters()),
            real=lambda batch, context: batch.x,
            made=lambda batch, context: self.decode(context.local_draw(len(batch.x), self.draw)),
            maker_loss=self.maker_loss,
        )
