"""Losses of a discriminator and a generator, and the two adversarial training phases."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ...data.batch import Batch
from ..base.data_parallel import SINGLE_PROCESS, DataParallelContext
from ..base.phase import Phase

Sampler = Callable[[Batch, DataParallelContext], Tensor]
"""Function from a batch and its data-parallel context to samples (n, …)."""

ADVERSARIAL_BETA1 = 0.5  # β₁ of Adam in adversarial phases; 0.9 makes them oscillate (Radford et al. 2016, section 4)


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Compute −E log D(real) − E log(1 − D(fake)), the loss of a discriminator D = sigmoid(t).

    The minimum over all D is log 4 − 2·JS, JS being the Jensen–Shannon divergence of real and fake samples.

    Args:
        real: logits t of real samples (n,).
        fake: logits t of fake samples (m,).

    Source: Goodfellow et al. 2014, "Generative adversarial nets", equation (1).
    """
    return softplus(-real).mean() + softplus(fake).mean()


def non_saturating_loss(fake: Tensor) -> Tensor:
    """Compute −E log D(fake), the non-saturating loss of a generator, from logits (n,).

    Source: Goodfellow et al. 2014, section 3.
    """
    return softplus(-fake).mean()


def minimax_loss(fake: Tensor) -> Tensor:
    """Compute E log(1 − D(fake)), the minimax loss of a generator, from logits (n,).

    Source: Goodfellow et al. 2014, equation (1).
    """
    return -softplus(fake).mean()


def adversarial_phases(
    discriminator: nn.Module,
    generator: tuple[nn.Parameter, ...],
    *,
    real: Sampler,
    fake: Sampler,
    generator_loss: Callable[[Tensor], Tensor] = non_saturating_loss,
) -> tuple[Phase, Phase]:
    """Return the phases "discriminator" and "generator" of adversarial training.

    Args:
        discriminator: network from samples (n, …) to logits (n,).
        generator: parameters of the generator.
        real: function that returns real samples, as many as the batch has examples.
        fake: function that returns samples of the generator.
        generator_loss: `non_saturating_loss` or `minimax_loss`.
    """

    def discriminator_loss_fn(batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        with torch.no_grad():
            samples = fake(batch, context)
        return {"loss": discriminator_loss(discriminator(real(batch, context)), discriminator(samples))}

    def generator_loss_fn(batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        return {"loss": generator_loss(discriminator(fake(batch, context)))}

    return (
        Phase("discriminator", tuple(discriminator.parameters()), discriminator_loss_fn, ADVERSARIAL_BETA1),
        Phase("generator", generator, generator_loss_fn, ADVERSARIAL_BETA1),
    )
