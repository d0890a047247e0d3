"""Nearest neighbors and the Chamfer distance."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fastlatent as fl
from fastlatent.losses.chamfer import gather_by_indexing
from tests.truth import pairwise as truth
from tests.truth.clouds import Clouds, clouds


@given(points=clouds(min_points=1), seed=st.integers(0, 9))
@settings(max_examples=40)
def test_nearest_in_float64_is_exact_with_the_lowest_index_at_ties(points, seed):
    x, y = points.draw(torch.float64, seed)
    index, squared = fl.nearest(x, y)
    expected, minimum = truth.nearest(x.numpy(), y.numpy())
    np.testing.assert_array_equal(index.numpy(), expected)
    np.testing.assert_allclose(squared.numpy(), minimum, rtol=1e-12, atol=0)


@given(points=clouds(min_points=1), seed=st.integers(0, 9))
@settings(max_examples=40)
def test_nearest_in_float32_is_exact_up_to_rounding(points, seed):
    """The error is at most the rounding of ‖a‖²+‖b‖²−2ab for centered points."""
    x, y = points.draw(torch.float32, seed)
    _, squared = fl.nearest(x, y)
    _, minimum = truth.nearest(x.double().numpy(), y.double().numpy())
    centered = torch.cat([x, y]).double() - torch.cat([x, y]).double().mean(0)
    rounding = 4 * torch.finfo(torch.float32).eps * centered.square().sum(1).max().item()
    np.testing.assert_array_less(squared.double().numpy(), minimum * (1 + 1e-5) + rounding + 1e-30)


@pytest.mark.parametrize("d", [1, 3, 8, 9, 40])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_ties_across_tiles_give_the_lowest_index(d, backend):
    y = torch.randn(5, d).repeat(80, 1)
    with fl.use_backend(backend):
        index, squared = fl.nearest(y[:7], y)
    assert index.tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert (squared == 0).all()


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_nan_and_infinity_give_valid_indices(d, backend):
    x, y = torch.randn(5, d), torch.randn(100, d)
    y[40, 1], y[70, 0], x[2, 0], x[3, 1] = float("nan"), float("inf"), float("nan"), float("inf")
    with fl.use_backend(backend):
        index, squared = fl.nearest(x, y)
    assert index.tolist() == [40, 40, 0, 40, 40] or index.tolist() == [40] * 5
    assert squared.isnan().all()


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_point_at_infinity_is_never_nearest(d, backend):
    x, y = torch.randn(5, d), torch.randn(100, d)
    expected = fl.nearest(x, y[1:])[0] + 1
    y[0, 0] = float("inf")
    with fl.use_backend(backend):
        torch.testing.assert_close(fl.nearest(x, y)[0], expected)


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_nonfinite_point_leaves_other_indices_unchanged(d, number, backend):
    x, y = torch.randn(5, d), torch.randn(100, d)
    expected = fl.nearest(x, y)[0]
    x[2, 0] = number
    with fl.use_backend(backend):
        index, _ = fl.nearest(x, y)
    assert index[[0, 1, 3, 4]].equal(expected[[0, 1, 3, 4]])
    assert 0 <= index[2] < 100


def test_chamfer_distance_by_hand():
    x, y = torch.tensor([[0.0, 0.0], [4.0, 0.0]]), torch.tensor([[1.0, 0.0]])
    assert fl.chamfer_distance(x, y).item() == pytest.approx((1 + 9) / 2 + 1)


def test_chamfer_distance_of_a_permutation_is_zero():
    x = torch.randn(50, 3)
    assert fl.chamfer_distance(x, x[torch.randperm(50)]) == 0


def test_chamfer_distance_of_a_small_shift():
    x = torch.cartesian_prod(*[torch.arange(4.0)] * 3)
    assert fl.chamfer_distance(x, x + 0.25).item() == pytest.approx(2 * 3 * 0.25**2)


def test_squared_distances_gradcheck():
    x, y = (z.requires_grad_() for z in Clouds(6, 4, 3).draw(torch.float64))
    assert torch.autograd.gradcheck(lambda x, y: fl.nearest(x, y)[1], (x, y))


@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_gather_by_indexing_equals_gather(batch):
    y, index = torch.randn(*batch, 5, 3, dtype=torch.float64, requires_grad=True), torch.randint(5, (*batch, 9))
    gathered = y.gather(-2, index.unsqueeze(-1).expand(*batch, 9, 3))
    indexed = gather_by_indexing(y, index)
    torch.testing.assert_close(indexed, gathered, rtol=0, atol=0)
    actual, expected = (torch.autograd.grad(points.square().sum(), y)[0] for points in (indexed, gathered))
    torch.testing.assert_close(actual, expected)
