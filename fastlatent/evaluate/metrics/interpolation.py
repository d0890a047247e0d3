"""Metrics of interpolations: distance to real lines and smoothness, realism index, R² of a held-out critic."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from ...data.datasets.lines import SIDE, draw_lines
from ...latent import linear, realism_index_normal, spherical
from ...priors import Normal
from ..evaluated_model import EvaluatedModel
from ..features.classifier import SmallNetwork
from .result import MetricResult

PAIRS, STEPS = 256, 16  # paths and points of each, as in the code of Berthelot et al. 2018
ANGLES = 10_000  # of the real lines, around the circle
LINES_BATCH = 512  # images compared with the real lines at a time
MIN_ANGLE = 1e-4  # radians between the ends of a path, below which its smoothness is undefined
CRITIC_STEPS, CRITIC_BATCH, CRITIC_LR = 500, 64, 2e-3
MAX_ALPHA = 0.5  # α is uniform on [0, MAX_ALPHA]

DISTANCE = "Mean distance of interpolations to the closest line, {} paths of {} images"
SMOOTHNESS = "Smoothness of interpolations between lines, {} paths of {} images"
REALISM = "Realism index under the prior, mean over codes (1/2 for samples of the prior)"
CRITIC = "R² of a held-out critic that predicts α from interpolations (0: indistinguishable from reconstructions)"
BASELINE = "linear interpolation of pixels"


def lines(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute mean distance and smoothness of linear interpolations of codes, and of pixels.

    The mean smoothness is over paths whose ends differ in angle; it is omitted if there are none.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", section 3.
    """
    decoded = evaluated.decode(evaluated.paths(PAIRS, STEPS))
    count = len(decoded)
    start, end = (x.flatten(1) for x in (evaluated.test.x[:count], evaluated.test.x[count : 2 * count]))
    values = {}
    for label, images in {"this model": decoded, BASELINE: linear(start, end, STEPS).view_as(decoded)}.items():
        distance, angles = line_distance(images)
        values[label] = float(distance.mean()), float(smoothness(angles).nanmean())
    return [
        MetricResult(group.format(count, STEPS), label, pair[index], is_model=label == "this model")
        for index, group in enumerate((DISTANCE, SMOOTHNESS))
        for label, pair in values.items()
        if not math.isnan(pair[index])
    ]


def realism_index(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the mean realism index of codes, along paths between them, and along paths between prior samples.

    Raises:
        TypeError: if the prior is not an isotropic Gaussian.

    Source: Struski et al. 2019, "Realism index: interpolation in generative models with arbitrary prior".
    """
    prior = evaluated.model.prior
    if not isinstance(prior, Normal):
        raise TypeError(f"the realism index needs a Gaussian prior; got {prior}")
    pairs = min(PAIRS, len(evaluated.codes) // 2)
    start, end = evaluated.codes[:pairs], evaluated.codes[pairs : 2 * pairs]
    first, second = evaluated.prior_samples
    codes = {
        "linear interpolation between codes of this model": linear(start, end, STEPS),
        "spherical interpolation between codes of this model": spherical(start, end, STEPS),
        "codes of this model": evaluated.codes,
        "linear interpolation between samples of the prior": linear(first[:pairs], second[:pairs], STEPS),
    }
    return [
        MetricResult(REALISM, label, float(realism_index_normal(z, prior.std).mean()), "this model" in label, True)
        for label, z in codes.items()
    ]


def critic_r2(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute R² of a critic held out from training, on interpolations of codes and of pixels."""
    shape = tuple(evaluated.test.x.shape[1:])
    codes = evaluated.codes_of(evaluated.train), evaluated.codes
    pixels = evaluated.train.x.flatten(1), evaluated.test.x.flatten(1)
    baseline = interpolation_critic_r2(lambda x: x.unflatten(1, shape), *pixels, shape, steps=CRITIC_STEPS)
    model = interpolation_critic_r2(evaluated.decode, *codes, shape, steps=CRITIC_STEPS)
    return [
        MetricResult(CRITIC, "interpolations of this model", model, is_model=True),
        MetricResult(CRITIC, BASELINE, baseline),
    ]


def line_distance(images: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the cosine distance of each image to the closest real line, and the angle of that line.

    The distance is min_q 1 − ⟨x, D_q⟩/(‖x‖·‖D_q‖), D_q being lines at 10,000 equally spaced angles; pixels are mapped
    from [0, 1] to [−1, 1], as in the paper.

    Args:
        images: (..., 1, 32, 32) in [0, 1].

    Returns:
        Distances (...,), and angles (...,) in [0, 2π).

    Raises:
        ValueError: for another shape.

    Source: Berthelot et al. 2018, section 3, and the authors' code.
    """
    if images.shape[-3:] != (1, SIDE, SIDE):
        raise ValueError(f"images must have shape (..., 1, {SIDE}, {SIDE}); got {tuple(images.shape)}")
    angles, directions = (real.to(images.device) for real in _real_lines())
    parts = _directions(images.reshape(-1, SIDE * SIDE)).split(LINES_BATCH)
    similarity, closest = map(torch.cat, zip(*((part @ directions.mT).max(1) for part in parts), strict=True))
    shape = images.shape[:-3]
    return (1 - similarity).clamp_min(0).view(shape), angles[closest].view(shape)


def smoothness(angles: Tensor) -> Tensor:
    """Compute the excess of the largest step of the angle, max_n |Λ_{n+1} − Λ_n|/|Λ_N − Λ_1| − 1/(N − 1).

    The excess is 0 for equal steps, and increases with the largest step. Angles are unwrapped first.

    Args:
        angles: Λ (..., N) along an interpolation, N ≥ 2, in radians.

    Returns:
        (...,); NaN where both ends have the same angle.

    Raises:
        ValueError: for fewer than two angles.

    Source: Berthelot et al. 2018, section 3, and the authors' code.
    """
    if angles.shape[-1] < 2:
        raise ValueError(f"angles must have shape (..., N) with N >= 2; got {tuple(angles.shape)}")
    path = np.unwrap(angles.double().cpu().numpy())
    total = np.abs(path[..., -1] - path[..., 0])
    max_step = np.abs(np.diff(path)).max(-1)
    fraction = np.divide(max_step, total, out=np.full_like(total, np.nan), where=total > MIN_ANGLE)
    return torch.from_numpy(np.asarray(fraction - 1 / (path.shape[-1] - 1)))


def interpolation_critic_r2(
    decode: Callable[[Tensor], Tensor], train: Tensor, test: Tensor, shape: tuple[int, ...], *, steps: int
) -> float:
    """Compute R² = 1 − E(d(x̂_α) − α)²/Var α on test codes, for a critic d trained on training codes.

    The critic regresses α, uniform on [0, ½], on x̂_α = g(α·z₁ + (1 − α)·z₂), with g fixed. R² is 0 if interpolations
    carry no information about α, and negative if the critic's error exceeds that of the mean of α.

    Args:
        decode: g, from codes (n, d) to images (n, *shape).
        train: codes (n, d) for the training of the critic.
        test: codes (m, d), each interpolated with the preceding one.
        shape: (channels, height, width).
        steps: number of training steps of the critic.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", equation (1); there the critic is trained jointly with the model.
    """
    generator = torch.Generator(train.device).manual_seed(0)
    critic = _train_critic(decode, train, shape, generator, steps)
    alpha = _sample_alpha(test, generator)
    with torch.no_grad():
        interpolated = torch.lerp(test.roll(1, 0), test, alpha)
        prediction = torch.cat([critic(decode(z)) for z in interpolated.split(10 * CRITIC_BATCH)])
    return float(1 - (prediction - alpha).square().mean() / (MAX_ALPHA**2 / 12))


def _train_critic(
    decode: Callable[[Tensor], Tensor],
    codes: Tensor,
    shape: tuple[int, ...],
    generator: torch.Generator,
    steps: int,
) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        critic = SmallNetwork(shape, 1).to(codes.device)
    adam = torch.optim.Adam(critic.parameters(), lr=CRITIC_LR)
    with torch.enable_grad():
        for _ in range(steps):
            pairs = torch.randint(len(codes), (2, CRITIC_BATCH), generator=generator, device=codes.device)
            first, second = codes[pairs]
            alpha = _sample_alpha(first, generator)
            with torch.no_grad():
                interpolated = decode(torch.lerp(second, first, alpha))
            adam.zero_grad()
            nn.functional.mse_loss(critic(interpolated), alpha).backward()
            adam.step()
    return critic


def _sample_alpha(z: Tensor, generator: torch.Generator) -> Tensor:
    return MAX_ALPHA * torch.rand(len(z), 1, generator=generator, device=z.device, dtype=z.dtype)


def _directions(images: Tensor) -> Tensor:
    """Return images (n, pixels), mapped to [−1, 1] and normalized; in float64, because close lines differ by 1e−8."""
    return nn.functional.normalize(2 * images.double() - 1, dim=1)


@cache
def _real_lines() -> tuple[Tensor, Tensor]:
    """Return the angles (10000,) and directions (10000, pixels) of the real lines."""
    angles = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    return torch.from_numpy(angles), _directions(torch.from_numpy(draw_lines(angles)).flatten(1))
