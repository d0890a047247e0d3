"""How good interpolations between images of lines are, for which the right answer is known."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from ...data.datasets.lines import SIDE, draw_lines

ANGLES = 10_000  # of the real lines, all round
BATCH = 512  # images compared with them at a time
SAME = 1e-4  # radians: ends closer than that have no way between them to judge


def line_distance(images: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine distance of each image to the closest real line, min_q 1 − ⟨x, D_q⟩/(‖x‖·‖D_q‖), and that line's angle.

    D_q are lines at 10,000 equal steps of the angle; pixels are taken from [0, 1] to [−1, 1], as in the source.

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
    angles, lines = (real.to(images.device) for real in _real_lines())
    parts = _direction(images.reshape(-1, SIDE * SIDE)).split(BATCH)
    similarity, closest = map(torch.cat, zip(*((part @ lines.mT).max(1) for part in parts), strict=True))
    shape = images.shape[:-3]
    return (1 - similarity).clamp_min(0).view(shape), angles[closest].view(shape)


def smoothness(angles: Tensor) -> Tensor:
    """By how much the largest step of the angle exceeds an equal one: max_n |Λ_{n+1} − Λ_n|/|Λ_N − Λ_1| − 1/(N − 1).

    It is 0 if all steps are equal, and the larger the more the angle jumps. Angles are unwrapped first.

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
    whole = np.abs(path[..., -1] - path[..., 0])
    largest = np.abs(np.diff(path)).max(-1)
    share = np.divide(largest, whole, out=np.full_like(whole, np.nan), where=whole > SAME)
    return torch.from_numpy(np.asarray(share - 1 / (path.shape[-1] - 1)))


def _direction(images: Tensor) -> Tensor:
    """Images (n, pixels) in [−1, 1], divided by their length; in float64, for close lines differ by 1e−8."""
    return torch.nn.functional.normalize(2 * images.double() - 1, dim=1)


@cache
def _real_lines() -> tuple[Tensor, Tensor]:
    """The angles (10000,) and directions (10000, pixels) of the real lines."""
    angles = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    return torch.from_numpy(angles), _direction(torch.from_numpy(draw_lines(angles)).flatten(1))
