"""Normalization and truncation of point clouds."""

import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.data.point_clouds import to_unit_sphere


@pytest.fixture(scope="module")
def shapes():
    return load("shapes")


def test_take_points_takes_the_first_points(shapes):
    fewer = shapes.take_points(32)
    assert fewer.shape == (32, 3)
    assert torch.equal(fewer.train.x, shapes.train.x[:, :32])
    with pytest.raises(ValueError, match="points must be at most 256, the number in each cloud; got 257"):
        shapes.take_points(257)
    with pytest.raises(ValueError, match="points must be an integer >= 1; got 0"):
        shapes.take_points(0)


def test_to_unit_sphere_is_invariant_to_shift_and_scale():
    points = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(to_unit_sphere(3 * points + 7), to_unit_sphere(points))
