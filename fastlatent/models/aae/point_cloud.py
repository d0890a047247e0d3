"""Adversarial autoencoder of point clouds."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from ...data.batch import Batch
from ...losses.chamfer import chamfer_distance
from ...priors import Prior
from ...utils import checks
from ..autoencoder import Autoencoder
from ..base.data_parallel import SINGLE_PROCESS, DataParallelContext
from ..base.phase import Phase
from ..objectives.adversarial import ADVERSARIAL_BETA1
from ..objectives.wgan_gp import GRADIENT_WEIGHT, wasserstein_critic_loss


class AAE3D(Autoencoder):
    """Adversarial autoencoder of point clouds, 3d-AAE.

    Each batch goes through two phases: the critic D of codes minimizes E D(f(x)) − E D(z) + gradient penalty, z from
    the prior; encoder and decoder minimize E δ(x, g(f(x))) − λ·E D(f(x)), δ a distance of point clouds.

    Args:
        encoder: f, from point clouds x (n, points, 3) to codes (n, d), e.g. a `PointNet`; codes are in [0, 1] if the
            prior is `Beta` or `Bernoulli`.
        decoder: g, from codes (n, d) to point clouds (n, points, 3).
        critic: D, from codes (n, d) to numbers (n,).
        prior: distribution of d dimensions: a Gaussian; `Beta` or `Bernoulli` for binary codes after rounding.
        distance: δ, from point clouds x and x̂ (n, points, 3) to (n,): `chamfer_distance` or `earth_mover_distance`.
        weight: λ, ≥ 0.
        gradient_weight: weight of the critic's gradient penalty, ≥ 0.

    Source: Zamorski et al. 2018, "Adversarial Autoencoders for Compact Representations of 3D Point Clouds", section 3.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        critic: nn.Module,
        prior: Prior,
        *,
        distance: Callable[[Tensor, Tensor], Tensor] = chamfer_distance,
        weight: float = 0.01,
        gradient_weight: float = GRADIENT_WEIGHT,
    ) -> None:
        super().__init__(encoder, decoder, prior)
        self.critic, self.distance = critic, distance
        self.weight = checks.non_negative("weight", weight)
        self.gradient_weight = checks.non_negative("gradient_weight", gradient_weight)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of the objective of encoder and decoder; "loss" is their weighted sum."""
        z = self.encode(batch.x)
        error = self.distance(batch.x, self.decode(z).to(batch.x)).mean()
        penalty = -self.critic(z).mean()
        return {"loss": error + self.weight * penalty, "reconstruction": error, "penalty": penalty}

    def critic_loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the critic's loss, without gradient to the encoder."""
        with torch.no_grad():
            fake = self.encode(batch.x)
        real = context.local_draw(len(fake), self.sample_latent)
        return {"loss": wasserstein_critic_loss(self.critic, real, fake.to(real), self.gradient_weight, context)}

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases "critic" and "autoencoder"."""
        (autoencoder,) = super().phases()
        critic = Phase("critic", tuple(self.critic.parameters()), self.critic_loss, ADVERSARIAL_BETA1)
        return critic, replace(autoencoder, beta1=ADVERSARIAL_BETA1)
