"""Generated solids: determinism, normalization, and uniform sampling by area."""

import math

import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.data.datasets.shapes import SOLIDS, box, cone, cylinder, ellipsoid, torus


@pytest.fixture(scope="module")
def shapes():
    return load("shapes")


def test_shapes_are_centered_in_the_unit_sphere(shapes):
    for split in (shapes.train, shapes.test):
        x = split[:].x
        assert x.dtype == torch.float32
        torch.testing.assert_close(x.mean(1), torch.zeros(len(x), 3), rtol=0, atol=1e-6)
        torch.testing.assert_close(x.norm(dim=2).amax(1), torch.ones(len(x)))


def test_shapes_are_deterministic_and_balanced(shapes):
    assert torch.equal(load("shapes").test.x, shapes.test.x)
    assert torch.equal(shapes.train.labels.bincount(), torch.full((len(SOLIDS),), 256))
    assert torch.equal(shapes.test.labels.bincount(), torch.full((len(SOLIDS),), 64))


def sample(solid, n=20_000):
    return solid(np.random.default_rng(3), n)


def test_points_lie_on_their_solids():
    x, y, z = sample(torus).T
    ring = np.hypot(np.hypot(x, y) - 1, z)
    np.testing.assert_allclose(ring, ring[0])
    points = sample(box)
    assert np.isclose(np.abs(points), np.abs(points).max(0)).any(1).all()
    points = sample(ellipsoid)
    axes = np.abs(points).max(0)
    np.testing.assert_allclose(np.square(points / axes).sum(1), 1, atol=0.02)  # axes are estimated from the points
    x, y, z = sample(cone).T
    radius = np.hypot(x, y)
    assert (np.isclose(z, -1) | np.isclose(radius, radius.max() * (1 - z) / 2, atol=1e-3)).all()


FIVE_SIGMA = 5 * 0.5 / math.sqrt(20_000)  # of a fraction of 20,000 points


def test_points_are_uniform_by_area():
    half = np.abs(sample(box)).max(0)
    on_top = np.isclose(np.abs(sample(box)[:, 2]), half[2]).mean()
    areas = half.prod() / half
    assert on_top == pytest.approx(areas[2] / areas.sum(), abs=FIVE_SIGMA)
    x, y, z = sample(cylinder).T
    radius = np.hypot(x, y).max()
    assert np.isclose(np.abs(z), 1).mean() == pytest.approx(radius / (radius + 2), abs=FIVE_SIGMA)
    x, y, z = sample(torus).T
    tube = z.max()
    assert (np.hypot(x, y) > 1).mean() == pytest.approx(0.5 + tube / math.pi, abs=FIVE_SIGMA)
