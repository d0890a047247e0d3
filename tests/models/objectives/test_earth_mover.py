"""Earth mover's and Sinkhorn distances of point clouds."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fastlatent.models import earth_mover_distance, sinkhorn_distance


@pytest.mark.parametrize("p", [1, 2])
def test_earth_mover_distance_is_the_minimum_over_matchings(p):
    x, y = torch.rand(2, 3, 5, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    costs = [(x - y[:, list(order)]).norm(dim=-1).pow(p).mean(-1) for order in itertools.permutations(range(5))]
    torch.testing.assert_close(earth_mover_distance(x, y, p=p), torch.stack(costs).amin(0))


@given(st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_earth_mover_distance_of_a_shifted_permuted_cloud_is_the_shift_squared(shift, random):
    x = torch.rand(6, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    order = random.sample(range(6), 6)
    shifted = x[order] + torch.tensor(shift, dtype=torch.float64)
    assert earth_mover_distance(x, shifted).item() == pytest.approx(sum(s * s for s in shift), rel=1e-9, abs=1e-12)


def test_earth_mover_distance_gradcheck():
    x, y = torch.rand(2, 2, 4, 3, dtype=torch.float64, generator=torch.manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(earth_mover_distance, (x, y))


def test_earth_mover_distance_checks_its_arguments():
    with pytest.raises(ValueError, match=r"as many points each; got shapes \(4, 3\) and \(5, 3\)"):
        earth_mover_distance(torch.rand(4, 3), torch.rand(5, 3))
    with pytest.raises(ValueError, match="p must be 1 or 2; got 3"):
        earth_mover_distance(torch.rand(4, 3), torch.rand(4, 3), p=3)


def test_sinkhorn_distance_approximates_the_earth_mover_distance_from_below():
    x, y = (2 * torch.rand(3, 64, 3, generator=torch.Generator().manual_seed(seed)) - 1 for seed in (0, 1))
    exact, approximation = earth_mover_distance(x, y), sinkhorn_distance(x, y)
    assert (approximation < exact).all()
    torch.testing.assert_close(approximation, exact, rtol=0.1, atol=0)  # geomloss anneals in steps and stops short


@given(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3))
def test_sinkhorn_distance_of_a_shifted_cloud_is_the_shift_squared(shift):
    x = torch.rand(2, 1, 20, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    assert sinkhorn_distance(x, x).abs().max() < 1e-12
    expected = sum(s * s for s in shift)
    shifted = sinkhorn_distance(x, x + torch.tensor(shift, dtype=torch.float64))
    assert shifted.shape == (2, 1)
    assert shifted.tolist() == [[pytest.approx(expected, rel=1e-2, abs=1e-3)]] * 2


def test_gradient_of_sinkhorn_distance():
    x = torch.zeros(4, 3, requires_grad=True)
    y = torch.tensor([[1.0, 0, 0]]).repeat(4, 1)
    (gradient,) = torch.autograd.grad(sinkhorn_distance(x, y), x)
    torch.testing.assert_close(gradient, 2 * (x - y).detach() / 4)


def test_sinkhorn_distance_checks_blur():
    with pytest.raises(ValueError, match="blur must be"):
        sinkhorn_distance(torch.rand(4, 3), torch.rand(5, 3), blur=0.0)
