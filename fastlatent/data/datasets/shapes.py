"""Generated point clouds on solids of random proportions.

Each solid is a function that samples its proportions and n points (n, 3) on its surface, uniformly except for
ellipsoids. z is upward; sizes are in units of the height.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..point_clouds import PointCloudDataset, point_cloud_split, to_unit_sphere

Random = np.random.Generator
PER_CLASS, TEST_PER_CLASS, POINTS, SEED = 320, 64, 256, 0
MIN_HALF_WIDTH, MAX_HALF_WIDTH = 0.3, 1.5


def shapes(data_dir: Path | None = None) -> PointCloudDataset:
    """Generate 1,600 solids of five classes with 256 points each, 64 of each class for testing; no file is needed.

    Length, width and height of each solid are random (see `SOLIDS`).
    """
    random = np.random.default_rng(SEED)
    clouds = [[to_unit_sphere(solid(random, POINTS)) for _ in range(PER_CLASS)] for solid in SOLIDS.values()]
    x, labels = np.array(clouds), np.indices((len(SOLIDS), PER_CLASS))[0]
    train, test = (
        point_cloud_split(x[:, part].reshape(-1, POINTS, 3), labels[:, part].ravel())
        for part in (slice(TEST_PER_CLASS, None), slice(TEST_PER_CLASS))
    )
    return PointCloudDataset("shapes", train, test, epochs=40, classes=tuple(SOLIDS))


def ellipsoid(random: Random, n: int) -> np.ndarray:
    """Sample points (n, 3) uniform on a sphere, then stretched along each axis."""
    points = random.normal(size=(n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True) * _half_widths(random, 3)


def box(random: Random, n: int) -> np.ndarray:
    """Sample points (n, 3) on a box with sides along the axes."""
    half = _half_widths(random, 3)
    areas = half.prod() / half  # of the faces orthogonal to each axis
    axis = random.choice(3, size=n, p=areas / areas.sum())
    points = random.uniform(-1, 1, size=(n, 3))
    points[np.arange(n), axis] = random.choice([-1.0, 1.0], size=n)
    return points * half


def cylinder(random: Random, n: int) -> np.ndarray:
    """Sample points (n, 3) on an upright closed cylinder of height 2: each disc has area πr², the side 4πr."""
    (radius,) = _half_widths(random, 1)
    side = random.random(n) < 2 / (2 + radius)
    distance = np.where(side, radius, radius * np.sqrt(random.random(n)))
    height = np.where(side, random.uniform(-1, 1, n), random.choice([-1.0, 1.0], n))
    return _revolve(random, distance, height)


def cone(random: Random, n: int) -> np.ndarray:
    """Sample points (n, 3) on an upright closed cone of height 2: the disc has area πr², the side πr·√(r² + 4)."""
    (radius,) = _half_widths(random, 1)
    slant = np.hypot(radius, 2)
    side = random.random(n) < slant / (slant + radius)
    fraction = np.sqrt(random.random(n))  # of the distance from the tip or the disc's center to the rim
    return _revolve(random, radius * fraction, np.where(side, 1 - 2 * fraction, -1.0))


def torus(random: Random, n: int) -> np.ndarray:
    """Sample points (n, 3) on a horizontal torus; the density of the tube's angle θ is ∝ R + r·cos θ."""
    tube = random.uniform(0.15, 0.5)
    grid = np.linspace(-np.pi, np.pi, 1001)
    cumulative = grid + tube * np.sin(grid)  # ∫ (1 + r·cos θ) dθ, R = 1
    angle = np.interp(random.uniform(-np.pi, np.pi, n), cumulative, grid)
    return _revolve(random, 1 + tube * np.cos(angle), tube * np.sin(angle))


SOLIDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    "ellipsoid": ellipsoid,
    "box": box,
    "cylinder": cylinder,
    "cone": cone,
    "torus": torus,
}


def _half_widths(random: Random, count: int) -> np.ndarray:
    return random.uniform(MIN_HALF_WIDTH, MAX_HALF_WIDTH, size=count)


def _revolve(random: Random, distance: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Return points at these distances from the z axis and these heights, at uniform angles."""
    angle = random.uniform(0, 2 * np.pi, len(distance))
    return np.stack([distance * np.cos(angle), distance * np.sin(angle), height], axis=1)
