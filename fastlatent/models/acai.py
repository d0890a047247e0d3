"""Adversarially constrained autoencoder interpolation (ACAI)."""

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
    """Autoencoder with a critic d that regularizes its interpolations, and optionally a penalty on the codes.

    With x̂_α = g(α·f(x₁) + (1 − α)·f(x₂)), α uniform on [0, ½], and x̂ = g(f(x)), expectations over the batch:

    - the critic, which predicts α, minimizes L_d = ‖d(x̂_α) − α‖² + ‖d(γ·x + (1 − γ)·x̂)‖²;
    - encoder and decoder minimize L_fg = ‖x − x̂‖² + λ·‖d(x̂_α)‖² [+ weight·D(f(x), z), z from the prior].

    One step updates both, as in the authors' code: the loss is L_fg + L_d, without gradient of L_fg to the critic and
    of L_d to the autoencoder.

    Each x₁ is interpolated with its neighbor in the batch, or in this rank's part of the batch.

    Args:
        encoder: f, from x (n, *shape) to codes (n, d).
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        critic: d, from x (n, *shape) to a number each (n,).
        prior: distribution of d dimensions, from which `sample` draws codes; only the penalty matches codes to it.
        interpolation_weight: λ, ≥ 0. In the authors' code ‖x − x̂‖² is a mean over pixels; their λ = 0.5 is λ = 0.5
            times the number of pixels here.
        gamma: γ, in [0, 1).
        penalty: D, as of `WAE`; None: no penalty.
        weight: weight of the penalty, ≥ 0.

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
        interpolation_weight: float = 0.5,
        gamma: float = 0.2,
        penalty: Penalty | None = None,
        weight: float = 1.0,
    ) -> None:
        super().__init__(encoder, decoder, prior)
        self.critic, self.penalty = critic, penalty
        self.interpolation_weight = checks.non_negative("interpolation_weight", interpolation_weight)
        self.gamma = checks.fraction("gamma", gamma)
        self.weight = checks.non_negative("weight", weight)

    def interpolate(self, z: Tensor, alpha: Tensor) -> Tensor:
        """Decode interpolations of each code with its neighbor in the batch.

        Args:
            z: codes (n, d).
            alpha: α (n, 1), weight of the code; its neighbor has the weight 1 − α.

        Returns:
            x̂_α (n, *shape).
        """
        return self.decode(torch.lerp(z.roll(1, 0), z, alpha))

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of L_fg + L_d; "loss" is their weighted sum."""
        z = self.encode(batch.x)
        reconstruction, alpha = self.decode(z), _sample_alpha(z, context)
        interpolation = self.interpolate(z, alpha)
        blend = torch.lerp(reconstruction.detach(), batch.x.to(reconstruction), self.gamma)
        realism = _call_frozen(self.critic, interpolation).square().mean()
        alpha_error = (self.critic(interpolation.detach()) - alpha.squeeze(1)).square().mean()
        terms = {
            "reconstruction": squared_error(batch.x, reconstruction),
            "interpolation_realism": realism,
            "critic_alpha_error": alpha_error,
            "critic_regularizer": self.critic(blend).square().mean(),
        }
        loss = terms["reconstruction"] + self.interpolation_weight * realism + alpha_error + terms["critic_regularizer"]
        if self.penalty is not None:
            terms["penalty"] = self.penalty(*self.penalty_inputs(z, context))
            loss = loss + self.weight * terms["penalty"]
        return {"loss": loss, **terms}

    def phases(self) -> tuple[Phase, ...]:
        """Return one phase, which updates encoder, decoder and critic."""
        (autoencoder,) = super().phases()
        return (replace(autoencoder, parameters=(*autoencoder.parameters, *self.critic.parameters())),)


def _call_frozen(network: nn.Module, x: Tensor) -> Tensor:
    """Compute the output of a network with gradients to x, without gradients to its parameters."""
    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}
    return torch.func.functional_call(network, parameters, (x,))


def _sample_alpha(z: Tensor, context: DataParallelContext) -> Tensor:
    """Draw α (n, 1) uniform on [0, ½)."""
    return 0.5 * context.uniform(len(z), 1, like=z)
