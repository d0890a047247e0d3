"""Divergence, coverage and matching distance of sets of point clouds."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from fastlatent import chamfer_distance
from fastlatent.data.point_clouds import to_unit_sphere
from fastlatent.evaluate.metrics.point_cloud_metrics import (
    coverage,
    jensen_shannon,
    matching_distance,
    pairwise_distances,
)


@pytest.fixture
def clouds():
    random = np.random.default_rng(0)
    return torch.from_numpy(np.stack([to_unit_sphere(random.normal(size=(64, 3))) for _ in range(20)]))


def test_permuted_set_has_divergence_and_distance_zero(clouds):
    assert jensen_shannon(clouds, clouds.flip(0)) == 0
    table = pairwise_distances(clouds, clouds.flip(0), chamfer_distance)
    assert coverage(table) == 1
    assert matching_distance(table) == 0


def test_disjoint_sets_have_divergence_of_one_bit(clouds):
    left, right = (clouds / 3 + torch.tensor([x, 0.0, 0.0], dtype=torch.float64) for x in (-0.6, 0.6))
    assert jensen_shannon(left, right) == pytest.approx(1)


def test_divergence_by_hand():
    a, b = [0.9, 0.0, 0.0], [-0.9, 0.0, 0.0]
    x, y = torch.tensor([[a, a, a, b]]), torch.tensor([[a, b], [b, b]])
    p, q = np.array([3, 1]) / 4, np.array([1, 3]) / 4
    expected = entropy((p + q) / 2, base=2) - (entropy(p, base=2) + entropy(q, base=2)) / 2
    assert jensen_shannon(x, y) == pytest.approx(expected)


def test_points_outside_the_ball_are_assigned_to_its_surface():
    x = torch.tensor([[[3.0, 0.05, 0.05]]])
    assert jensen_shannon(x, x / 3.05) == 0


def test_points_in_one_cell_have_divergence_zero():
    x = torch.tensor([[[0.31, 0.30, 0.29]]])
    assert jensen_shannon(x, x + 0.01, cells=5) == 0
    assert jensen_shannon(x, -x, cells=5) == 1


def test_matching_and_coverage_by_hand():
    table = torch.tensor([[1.0, 2.0, 9.0], [4.0, 1.5, 3.0], [5.0, 6.0, 7.0]])  # tests in rows, samples in columns
    assert matching_distance(table) == pytest.approx((1 + 1.5 + 5) / 3)
    assert coverage(table) == pytest.approx(2 / 3)  # nearest test clouds of the samples: 0, 1, 1


def test_identical_samples_cover_one_test_cloud(clouds):
    table = pairwise_distances(clouds, clouds[:1].expand(20, -1, -1), chamfer_distance)
    assert coverage(table) == 1 / 20


def test_pairwise_distances_by_entry(clouds):
    table = pairwise_distances(clouds[:2], clouds[2:5], chamfer_distance)
    assert table.shape == (2, 3)
    torch.testing.assert_close(table[1, 2], chamfer_distance(clouds[1], clouds[4]))


def test_invalid_input_raises(clouds):
    with pytest.raises(ValueError, match=r"y must be clouds \(n, points, 3\); got shape \(64, 3\)"):
        jensen_shannon(clouds, clouds[0])
    with pytest.raises(ValueError, match="cells must be an integer >= 2; got 1"):
        jensen_shannon(clouds, clouds, cells=1)
