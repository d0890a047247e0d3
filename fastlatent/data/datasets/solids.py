"""Solids of random proportions: each function draws one, and n points on its surface (n, 3), evenly but for ellipsoids.

z is upwards; sizes are in units of the height.
"""

from collections.abc import Callable

import numpy as np

Random = np.random.Generator
THIN, WIDE = 0.3, 1.5  # half of what a solid's width may be


def ellipsoid(random: Random, n: int) -> np.ndarray:
    """A sphere stretched along each axis, and even points of the sphere with it."""
    points = random.normal(size=(n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True) * _widths(random, 3)


def box(random: Random, n: int) -> np.ndarray:
    """A box with sides along the axes."""
    half = _widths(random, 3)
    areas = half.prod() / half  # of the faces across each axis
    across = random.choice(3, size=n, p=areas / areas.sum())
    points = random.uniform(-1, 1, size=(n, 3))
    points[np.arange(n), across] = random.choice([-1.0, 1.0], size=n)
    return points * half


def cylinder(random: Random, n: int) -> np.ndarray:
    """An upright cylinder, closed at both ends: a disc weighs πr², the side 2πr·2 for height 2."""
    (radius,) = _widths(random, 1)
    side = random.random(n) < 2 / (2 + radius)
    distance = np.where(side, radius, radius * np.sqrt(random.random(n)))
    height = np.where(side, random.uniform(-1, 1, n), random.choice([-1.0, 1.0], n))
    return _around(random, distance, height)


def cone(random: Random, n: int) -> np.ndarray:
    """An upright cone, closed below: the disc weighs πr², the side πr·√(r² + 4) for height 2."""
    (radius,) = _widths(random, 1)
    slant = np.hypot(radius, 2)
    side = random.random(n) < slant / (slant + radius)
    fraction = np.sqrt(random.random(n))  # of the way from the tip or the disc's middle to the rim
    return _around(random, radius * fraction, np.where(side, 1 - 2 * fraction, -1.0))


def torus(random: Random, n: int) -> np.ndarray:
    """A lying torus: the circle at angle θ of the tube, of radius R + r·cos θ, weighs as much as it is long."""
    tube = random.uniform(0.15, 0.5)
    grid = np.linspace(-np.pi, np.pi, 1001)
    weight = grid + tube * np.sin(grid)  # ∫ (1 + r·cos θ) dθ, R = 1
    angle = np.interp(random.uniform(-np.pi, np.pi, n), weight, grid)
    return _around(random, 1 + tube * np.cos(angle), tube * np.sin(angle))


SOLIDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    "ellipsoid": ellipsoid,
    "box": box,
    "cylinder": cylinder,
    "cone": cone,
    "torus": torus,
}


def _widths(random: Random, count: int) -> np.ndarray:
    return random.uniform(THIN, WIDE, size=count)


def _around(random: Random, distance: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Points at these distances from the z axis, at these heights, at any angle."""
    angle = random.uniform(0, 2 * np.pi, len(distance))
    return np.stack([distance * np.cos(angle), distance * np.sin(angle), height], axis=1)
