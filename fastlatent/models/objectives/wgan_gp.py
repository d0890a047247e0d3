"""A critic that measures the Wasserstein distance, held to slopes of one by a gradient penalty (WGAN-GP)."""

import torch
from torch import Tensor, nn

from ..base.data_parallel import SINGLE_PROCESS, DataParallelContext

GRADIENT_WEIGHT = 10.0  # λ of Gulrajani et al. 2017


def wasserstein_critic_loss(
    critic: nn.Module,
    real: Tensor,
    made: Tensor,
    weight: float = GRADIENT_WEIGHT,
    context: DataParallelContext = SINGLE_PROCESS,
) -> Tensor:
    """What the critic D minimizes: E D(made) − E D(real) + λ·E (‖∇D(ẑ)‖ − 1)².

    ẑ = ε·real + (1 − ε)·made with ε uniform on [0, 1), one for each pair. Without the penalty, over all D of slopes at
    most one, the least value is minus the 1-Wasserstein distance.

    Args:
        critic: D, from samples (n, …) to numbers (n,); it must look at each sample by itself.
        real: true samples (n, …).
        made: made ones, as many.
        weight: λ.
        context: ranks over which the batch is distributed.

    Source: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", equation (3).
    """
    return critic(made).mean() - critic(real).mean() + weight * gradient_penalty(critic, real, made, context)


def gradient_penalty(
    critic: nn.Module, real: Tensor, made: Tensor, context: DataParallelContext = SINGLE_PROCESS
) -> Tensor:
    """E (‖∇D(ẑ)‖ − 1)² at random points ẑ between pairs of samples, as of `wasserstein_critic_loss`."""
    share = context.uniform(len(real), *[1] * (real.dim() - 1), like=real)
    with torch.enable_grad():  # the gradient is part of the value, also where the value is only looked at
        between = torch.lerp(made.detach(), real.detach(), share).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
