"""A critic that is trained after the model, to tell how far an image lies between two others."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..evaluated_model import EvaluatedModel
from ..features.classifier import SmallNetwork
from .result import MetricResult

STEPS, BATCH, LR = 500, 64, 2e-3
MOST = 0.5  # α is uniform on [0, MOST]

GROUP = "Share of the variance of α that a critic trained afterwards reads from interpolations (0: none)"


def score(subject: EvaluatedModel) -> list[MetricResult]:
    """How much a held-out critic reads of α from the model's interpolations, and from images faded into each other."""
    shape = tuple(subject.test.x.shape[1:])
    codes = subject.codes_of(subject.train), subject.codes
    images = subject.train.x.flatten(1), subject.test.x.flatten(1)
    faded = share_read(lambda x: x.unflatten(1, shape), *images, shape, steps=STEPS)
    return [
        MetricResult(
            GROUP, "interpolations of this model", share_read(subject.decode, *codes, shape, steps=STEPS), ours=True
        ),
        MetricResult(GROUP, "fading from image to image", faded),
    ]


def share_read(
    decode: Callable[[Tensor], Tensor], train: Tensor, test: Tensor, shape: tuple[int, ...], *, steps: int
) -> float:
    """1 − E(d(x̂_α) − α)²/Var α on test codes, for a critic d trained on training codes.

    The critic learns to guess α, uniform on [0, ½], from x̂_α = g(α·z₁ + (1 − α)·z₂), g fixed. The less it can tell, the
    more interpolations look like reconstructions. Below 0 it guesses worse than the mean of α.

    Args:
        decode: g, from codes (n, d) to images (n, *shape).
        train, test: codes (n, d) and (m, d); each of the test codes is interpolated with the one before it.
        shape: (channels, height, width).
        steps: of training.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", equation (1); there the critic is trained beside the model.
    """
    generator = torch.Generator(train.device).manual_seed(0)
    critic = _trained(decode, train, shape, generator, steps)
    alpha = _alpha(test, generator)
    with torch.no_grad():
        between = torch.lerp(test.roll(1, 0), test, alpha)
        guess = torch.cat([critic(decode(z)) for z in between.split(10 * BATCH)])
    return float(1 - (guess - alpha).square().mean() / (MOST**2 / 12))


def _trained(
    decode: Callable[[Tensor], Tensor],
    codes: Tensor,
    shape: tuple[int, ...],
    generator: torch.Generator,
    steps: int,
) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        critic = SmallNetwork(shape, 1).to(codes.device)
    adam = torch.optim.Adam(critic.parameters(), lr=LR)
    with torch.enable_grad():
        for _ in range(steps):
            first, second = codes[torch.randint(len(codes), (2, BATCH), generator=generator, device=codes.device)]
            alpha = _alpha(first, generator)
            with torch.no_grad():
                between = decode(torch.lerp(second, first, alpha))
            adam.zero_grad()
            nn.functional.mse_loss(critic(between), alpha).backward()
            adam.step()
    return critic


def _alpha(z: Tensor, generator: torch.Generator) -> Tensor:
    return MOST * torch.rand(len(z), 1, generator=generator, device=z.device, dtype=z.dtype)
