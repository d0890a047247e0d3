"""Data sets of point clouds."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from ..utils import checks
from .dataset import Dataset, Split

ORDER_SEED = 0


@dataclass(frozen=True)
class PointCloudDataset(Dataset):
    """Data set of point clouds: x (n, points, 3) of each split is centered, in the unit sphere, with z upward.

    Args:
        name: see `Dataset`.
        train: see `Dataset`.
        test: see `Dataset`.
        epochs: see `Dataset`.
        classes: see `Dataset`.
    """

    kind: ClassVar[str] = "point clouds"

    def take_points(self, points: int) -> "PointCloudDataset":
        """Return the data set with the first points of each cloud only; the points of a cloud are in random order.

        Args:
            points: number of points, from 1 to the number in each cloud.

        Raises:
            TypeError, ValueError: if points is not an integer in this range.
        """
        if checks.count("points", points) > self.shape[0]:
            raise ValueError(f"points must be at most {self.shape[0]}, the number in each cloud; got {points}")
        train, test = (replace(split, x=split.x[:, :points].contiguous()) for split in (self.train, self.test))
        return replace(self, train=train, test=test)


def point_cloud_split(x: np.ndarray, labels: np.ndarray) -> Split:
    """Build a split of clouds (n, points, 3) with labels (n,), shuffled with a fixed seed.

    Files list clouds class by class; figures show the first few.
    """
    order = np.random.default_rng(ORDER_SEED).permutation(len(x))
    points = torch.from_numpy(x[order].astype(np.float32))
    return Split(points, torch.from_numpy(labels[order].astype(np.int64)), max_value=1)


def to_unit_sphere(points: np.ndarray) -> np.ndarray:
    """Center each cloud at its mean and scale its farthest point to distance 1.

    Args:
        points: clouds (..., n, 3).

    Returns:
        (..., n, 3).

    Raises:
        ValueError: if the points of a cloud are all equal, or not finite.
    """
    if not np.isfinite(points).all():
        raise ValueError("the points of a cloud must be finite")
    points = points - points.mean(-2, keepdims=True)
    radius = np.linalg.norm(points, axis=-1).max(-1)[..., None, None]
    if not radius.all():
        raise ValueError("the points of a cloud must not be all equal")
    return points / radius
