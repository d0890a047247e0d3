"""Loss of a Wasserstein critic with gradient penalty (WGAN-GP)."""

import torch
from torch import Tensor, nn

from ..base.data_parallel import SINGLE_PROCESS, DataParallelContext

GRADIENT_WEIGHT = 10.0  # λ of Gulrajani et al. 2017


def wasserstein_critic_loss(
    critic: nn.Module,
    real: Tensor,
    fake: Tensor,
    weight: float = GRADIENT_WEIGHT,
    context: DataParallelContext = SINGLE_PROCESS,
) -> Tensor:
    """Compute E D(fake) − E D(real) + λ·E (‖∇D(ẑ)‖ − 1)², the loss of a critic D.

    ẑ = ε·real + (1 − ε)·fake, ε uniform on [0, 1), one for each pair. Without the gradient penalty the minimum over all
    1-Lipschitz D is minus the 1-Wasserstein distance.

    Args:
        critic: D, from samples (n, …) to numbers (n,), the i-th a function of the i-th sample only.
        real: real samples (n, …).
        fake: fake samples (n, …).
        weight: λ.
        context: ranks over which the batch is distributed.

    Source: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", equation (3).
    """
    return critic(fake).mean() - critic(real).mean() + weight * gradient_penalty(critic, real, fake, context)


def gradient_penalty(
    critic: nn.Module, real: Tensor, fake: Tensor, context: DataParallelContext = SINGLE_PROCESS
) -> Tensor:
    """Compute E (‖∇D(ẑ)‖ − 1)² at random interpolations ẑ of real and fake samples (`wasserstein_critic_loss`)."""
    epsilon = context.uniform(len(real), *[1] * (real.dim() - 1), like=real)
    with torch.enable_grad():  # the value contains a gradient, so autograd is needed under no_grad too
        interpolation = torch.lerp(fake.detach(), real.detach(), epsilon).requires_grad_()
        (gradient,) = torch.autograd.grad(critic(interpolation).sum(), interpolation, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()
