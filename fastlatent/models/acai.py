"""Adversarially constrained autoencoder interpolation."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..data.batch import Batch
from ..priors import Prior
from ..utils import checks
from .autoencoder import Autoencoder, squared_error
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext
from .base.phase import Phase
from .objectives.penalties import Penalty


class ACAI(Autoencoder):
    """Autoencoder whose interpolations a critic d cannot tell from reconstructions, under any penalty or none.

    With x̂_α = g(α·f(x₁) + (1 − α)·f(x₂)), α uniform on [0, ½], and x̂ = g(f(x)), expectations over the batch:

    - the critic guesses α, minimizing L_d = ‖d(x̂_α) − α‖² + ‖d(γ·x + (1 − γ)·x̂)‖²;
    - encoder and decoder minimize L_fg = ‖x − x̂‖² + λ·‖d(x̂_α)‖² [+ weight·D(f(x), z), z from the prior].

    One step moves both, as in the authors' code: the loss is L_fg + L_d, no gradient of L_fg reaching the critic and
    none of L_d the autoencoder.

    Each x₁ is interpolated with its neighbor in the batch (in this rank's part of it, where there are several).

    Args:
        encoder: f, from x (n, *shape) to codes (n, d).
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        critic: d, from x (n, *shape) to a number each (n,).
        prior: of d dimensions; nothing but the penalty makes the codes match it.
        strength: λ, ≥ 0. In the authors' code ‖x − x̂‖² is a mean over pixels, which makes their λ = 0.5 as strong
            as λ = 0.5 times the number of pixels here.
        mix: γ, in [0, 1).
        penalty: D, as of `WAE`; None: none.
        weight: of the penalty, ≥ 0.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", equations (1) and (2).
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        critic: nn.Module,
        prior: Prior,
        *,
        strength: float = 0.5,
        mix: float = 0.2,
        penalty: Penalty | None = None,
        weight: float = 1.0,
    ) -> None:
        super().__init__(encoder, decoder, prior)
        self.critic, self.penalty = critic, penalty
        self.strength, self.mix = checks.non_negative("strength", strength), checks.fraction("mix", mix)
        self.weight = checks.non_negative("weight", weight)

    def interpolate(self, z: Tensor, alpha: Tensor) -> Tensor:
        """x̂_α (n, *shape) of codes (n, d), each α (n, 1) of the way to the next code from its own."""
        return self.decode(torch.lerp(z.roll(1, 0), z, alpha))

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        z = self.encode(batch.x)
        made, alpha = self.decode(z), _alpha(z, context)
        between = self.interpolate(z, alpha)
        error = squared_error(batch.x, made)
        betrayed = _frozen(self.critic, between).square().mean()
        near = torch.lerp(made.detach(), batch.x.to(made), self.mix)
        guess = (self.critic(between.detach()) - alpha.squeeze(1)).square().mean()
        calm = self.critic(near).square().mean()
        terms = {"reconstruction": error, "critic": betrayed, "interpolated": guess, "near data": calm}
        loss = error + self.strength * betrayed + guess + calm
        if self.penalty is not None:
            terms["penalty"] = self.penalty(*self.compared(z, context))
            loss = loss + self.weight * terms["penalty"]
        return {"loss": loss, **terms}

    def phases(self) -> tuple[Phase, ...]:
        (autoencoder,) = super().phases()
        return (replace(autoencoder, parameters=(*autoencoder.parameters, *self.critic.parameters())),)


def _frozen(network: nn.Module, x: Tensor) -> Tensor:
    """The network's answer to x, through which gradients reach x and not the network's parameters."""
    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}
    return torch.func.functional_call(network, parameters, (x,))


def _alpha(z: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
    return 0.5 * context.uniform(len(z), 1, like=z)
