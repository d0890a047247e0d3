"""Nearest neighbors and the Chamfer distance."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fastlatent as fl
from fastlatent.losses import chamfer
from tests.truth import pairwise as truth
from tests.truth.clouds import Clouds, clouds


@given(drawn=clouds(min_points=1), seed=st.integers(0, 9))
@settings(max_examples=40)
def test_nearest_in_float64_is_the_nearest_and_the_first_of_equals(drawn, seed):
    x, y = drawn.draw(torch.float64, seed)
    index, squared = fl.nearest(x, y)
    expected, least = truth.nearest(x.numpy(), y.numpy())
    np.testing.assert_array_equal(index.numpy(), expected)
    np.testing.assert_allclose(squared.numpy(), least, rtol=1e-12, atol=0)


@given(drawn=clouds(min_points=1), seed=st.integers(0, 9))
@settings(max_examples=40)
def test_nearest_in_float32_is_as_near_as_float32_can_tell(drawn, seed):
    """Another point may be chosen only where the difference drowns in the rounding of ‖a‖²+‖b‖²−2ab, centerd."""
    x, y = drawn.draw(torch.float32, seed)
    _, squared = fl.nearest(x, y)
    _, least = truth.nearest(x.double().numpy(), y.double().numpy())
    centerd = torch.cat([x, y]).double() - torch.cat([x, y]).double().mean(0)
    rounding = 4 * torch.finfo(torch.float32).eps * centerd.square().sum(1).max().item()
    np.testing.assert_array_less(squared.double().numpy(), least * (1 + 1e-5) + rounding + 1e-30)


@pytest.mark.parametrize("d", [1, 3, 8, 9, 40])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_lowest_of_equals_in_every_tile(d, backend):
    y = torch.randn(5, d).repeat(80, 1)
    with fl.use_backend(backend):
        index, squared = fl.nearest(y[:7], y)
    assert index.tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert (squared == 0).all()


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_nan_and_infinity_give_an_index_that_exists(d, backend):
    x, y = torch.randn(5, d), torch.randn(100, d)
    y[40, 1], y[70, 0], x[2, 0], x[3, 1] = float("nan"), float("inf"), float("nan"), float("inf")
    with fl.use_backend(backend):
        index, squared = fl.nearest(x, y)
    assert index.tolist() == [40, 40, 0, 40, 40] or index.tolist() == [40] * 5
    assert squared.isnan().all()


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_point_at_infinity_is_nobodys_nearest(d, backend):
    x, y = torch.randn(5, d), torch.randn(100, d)
    expected = fl.nearest(x, y[1:])[0] + 1
    y[0, 0] = float("inf")
    with fl.use_backend(backend):
        torch.testing.assert_close(fl.nearest(x, y)[0], expected)


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_point_that_is_not_finite_does_not_spoil_the_others(d, number, backend):
    x, y = torch.randn(5, d), torch.randn(100, d)
    expected = fl.nearest(x, y)[0]
    x[2, 0] = number
    with fl.use_backend(backend):
        index, _ = fl.nearest(x, y)
    assert index[[0, 1, 3, 4]].equal(expected[[0, 1, 3, 4]])
    assert 0 <= index[2] < 100


def test_chamfer_of_hand_made_clouds():
    x, y = torch.tensor([[0.0, 0.0], [4.0, 0.0]]), torch.tensor([[1.0, 0.0]])
    assert fl.chamfer_distance(x, y).item() == pytest.approx((1 + 9) / 2 + 1)


def test_chamfer_of_a_cloud_and_its_permutation_is_zero():
    x = torch.randn(50, 3)
    assert fl.chamfer_distance(x, x[torch.randperm(50)]) == 0


def test_chamfer_of_a_slightly_shifted_cloud_is_the_shift():
    x = torch.cartesian_prod(*[torch.arange(4.0)] * 3)
    assert fl.chamfer_distance(x, x + 0.25).item() == pytest.approx(2 * 3 * 0.25**2)


def test_squared_distances_are_differentiable_in_both():
    x, y = (z.requires_grad_() for z in Clouds(6, 4, 3).draw(torch.float64))
    assert torch.autograd.gradcheck(lambda x, y: fl.nearest(x, y)[1], (x, y))


@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_points_chosen_by_indexing_as_on_a_gpu_are_those_that_gather_chooses(batch):
    y, index = torch.randn(*batch, 5, 3, dtype=torch.float64, requires_grad=True), torch.randint(5, (*batch, 9))
    gathered = y.gather(-2, index.unsqueeze(-1).expand(*batch, 9, 3))
    indexed = chamfer.indexed(y, index)
    torch.testing.assert_close(indexed, gathered, rtol=0, atol=0)
    found, expected = (torch.autograd.grad(chosen.square().sum(), y)[0] for chosen in (indexed, gathered))
    torch.testing.assert_close(found, expected)
