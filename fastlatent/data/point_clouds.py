"""Data sets of point clouds, and one that is generated."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from ..utils import checks
from .dataset import Dataset, Split
from .datasets.solids import SOLIDS

SHAPES_PER_CLASS, SHAPES_TEST, SHAPES_POINTS, SHAPES_SEED = 320, 64, 256, 0
ORDER_SEED = 0


@dataclass(frozen=True)
class PointCloudDataset(Dataset):
    """A data set of point clouds: each split's x is (n, points, 3), centerd, within the unit sphere, z upwards.

    Args:
        name, train, test, epochs, classes: as of `Dataset`.
    """

    kind: ClassVar[str] = "point clouds"

    def with_points(self, points: int) -> "PointCloudDataset":
        """The same clouds, but only the first so many points of each; files have them in random order.

        Raises:
            ValueError: if points is not between 1 and the number that clouds have.
        """
        if checks.count("points", points) > self.shape[0]:
            raise ValueError(f"points must be at most {self.shape[0]}, as many as the clouds have; got {points}")
        train, test = (replace(split, x=split.x[:, :points].contiguous()) for split in (self.train, self.test))
        return replace(self, train=train, test=test)


def shapes(data_dir: Path | None = None) -> PointCloudDataset:
    """1,600 generated solids of five classes, 256 points on the surface of each; they need no file.

    Each is as long, wide and high as chance has it (`solids`); 64 of each class are for testing.
    """
    random = np.random.default_rng(SHAPES_SEED)
    clouds = [[unit(solid(random, SHAPES_POINTS)) for _ in range(SHAPES_PER_CLASS)] for solid in SOLIDS.values()]
    x, label = np.array(clouds), np.indices((len(SOLIDS), SHAPES_PER_CLASS))[0]
    train, test = (
        cloud_split(x[:, part].reshape(-1, SHAPES_POINTS, 3), label[:, part].ravel())
        for part in (slice(SHAPES_TEST, None), slice(SHAPES_TEST))
    )
    return PointCloudDataset("shapes", train, test, epochs=40, classes=tuple(SOLIDS))


def cloud_split(x: np.ndarray, label: np.ndarray) -> Split:
    """Clouds in an order that is the same in every run, but not class by class, for figures show the first."""
    order = np.random.default_rng(ORDER_SEED).permutation(len(x))
    points = torch.from_numpy(x[order].astype(np.float32))
    return Split(points, torch.from_numpy(label[order].astype(np.int64)), white=1)


def unit(points: np.ndarray) -> np.ndarray:
    """Points (…, n, 3) moved and scaled so that the mean of each cloud is 0 and its farthest is at distance 1.

    Raises:
        ValueError: if all points of a cloud are the same, or not finite.
    """
    if not np.isfinite(points).all():
        raise ValueError("the points of a cloud must be finite")
    points = points - points.mean(-2, keepdims=True)
    farthest = np.linalg.norm(points, axis=-1).max(-1)[..., None, None]
    if not farthest.all():
        raise ValueError("the points of a cloud must not be all the same")
    return points / farthest
