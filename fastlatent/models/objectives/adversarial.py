"""What adversarial models share: the losses of a critic and of whom it judges, and the two phases of their game."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ...data.batch import Batch
from ..base.data_parallel import SINGLE_PROCESS, DataParallelContext
from ..base.phase import Phase

Draw = Callable[[Batch, DataParallelContext], Tensor]
ADVERSARIAL_BETA1 = 0.5  # with more, both players run past each other (Radford et al. 2016, section 4)


def critic_loss(real: Tensor, made: Tensor) -> Tensor:
    """What a critic D = sigmoid(t) minimizes: −E log D(real) − E log(1 − D(made)).

    It is least, log 4 − 2·JS, for the D that tells both as well as can be, JS being their Jensen–Shannon divergence.

    Args:
        real: its answers t to true samples, logits (n,).
        made: to made ones (m,).

    Source: Goodfellow et al. 2014, "Generative adversarial nets", equation (1).
    """
    return softplus(-real).mean() + softplus(made).mean()


def non_saturating_loss(made: Tensor) -> Tensor:
    """What the maker minimizes so that the critic takes its samples for true: −E log D(made), for logits (n,).

    Source: Goodfellow et al. 2014, section 3.
    """
    return softplus(-made).mean()


def minimax_loss(made: Tensor) -> Tensor:
    """What the maker minimizes in the zero-sum game: E log(1 − D(made)), for logits (n,).

    Source: Goodfellow et al. 2014, equation (1).
    """
    return -softplus(made).mean()


def game(
    critic: nn.Module,
    maker: tuple[nn.Parameter, ...],
    *,
    real: Draw,
    made: Draw,
    maker_loss: Callable[[Tensor], Tensor] = non_saturating_loss,
) -> tuple[Phase, Phase]:
    """The two phases of a game: the critic learns to tell real from made samples, the maker to deceive it.

    Args:
        critic: from samples (n, …) to logits (n,).
        maker: the parameters that deceive.
        real: draws true samples; it is given the batch, for its size or its contents.
        made: makes samples.
        maker_loss: `non_saturating_loss` or `minimax_loss`.
    """

    def judge(batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        with torch.no_grad():
            samples = made(batch, context)
        return {"loss": critic_loss(critic(real(batch, context)), critic(samples))}

    def deceive(batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        return {"loss": maker_loss(critic(made(batch, context)))}

    return (
        Phase("critic", tuple(critic.parameters()), judge, ADVERSARIAL_BETA1),
        Phase("deceive", maker, deceive, ADVERSARIAL_BETA1),
    )
