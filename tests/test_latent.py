"""Interpolation, latent algebra, and the realism index."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastlatent.latent import RealismIndex, algebra, along_density, linear, realism_index_normal, spherical
from fastlatent.priors import Normal, Uniform

A, B = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1.0])


@pytest.mark.parametrize("path", [linear, spherical])
@given(steps=st.integers(2, 9), seed=st.integers(0, 1000))
def test_paths_have_the_end_points_a_and_b(path, steps, seed):
    a, b = torch.randn(2, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    points = path(a, b, steps)
    assert points.shape == (4, steps, 3)
    torch.testing.assert_close(points[:, 0], a)
    torch.testing.assert_close(points[:, -1], b)


def test_linear_interpolation_by_hand():
    assert linear(A, B, 3).tolist() == [[3, 0], [1.5, 0.5], [0, 1]]


def test_spherical_interpolation_is_the_great_circle():
    points = spherical(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 4)
    angles = torch.tensor([0, math.pi / 6, math.pi / 3, math.pi / 2])
    torch.testing.assert_close(points, 2 * torch.stack([angles.cos(), angles.sin()], dim=1))


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, -0.5, 0.0])
def test_spherical_interpolation_of_parallel_codes_is_linear(factor):
    torch.testing.assert_close(spherical(A, factor * A, 5), linear(A, factor * A, 5))


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_algebra_is_a_minus_b_plus_c(shift, stretch):
    b, c = torch.tensor([1.0, 2.0]), torch.tensor([[0.5, -1.0], [4.0, 0.0]])
    torch.testing.assert_close(algebra(b + shift, b, c), c + shift)
    torch.testing.assert_close(algebra(stretch * b, stretch * b, c), c)


@pytest.mark.parametrize("dim", [1, 2, 16])
def test_realism_index_of_a_gaussian_is_the_chi_squared_tail(dim):
    z = 2 * torch.randn(50, dim, dtype=torch.float64, generator=torch.manual_seed(0))
    expected = stats.chi2.sf((z.square().sum(1) / 4).numpy(), dim)
    torch.testing.assert_close(realism_index_normal(z, std=2.0), torch.from_numpy(expected))


@pytest.mark.parametrize("dim", [1, 2, 16])
def test_monte_carlo_index_converges_to_the_closed_form(dim):
    n = 20_000
    index = RealismIndex(lambda z: -z.square().sum(-1), Normal(dim), samples=n, generator=torch.manual_seed(0))
    z = torch.randn(50, dim, generator=torch.manual_seed(1))
    error = (index(z) - realism_index_normal(z)).abs().max().item()
    assert error < math.sqrt(math.log(2 / 1e-6) / (2 * n))  # Dvoretzky–Kiefer–Wolfowitz, one failure in a million


def test_index_of_prior_samples_is_uniform():
    index = RealismIndex(lambda z: z[:, 0] * z[:, 1].sin(), Uniform(2), samples=20_000, generator=torch.manual_seed(0))
    values = index(Uniform(2).sample(2000, generator=torch.manual_seed(1)))
    assert stats.kstest(values.numpy(), "uniform").pvalue > 1e-3


def test_index_is_invariant_to_monotone_maps_of_the_score():
    z = torch.linspace(-3, 3, 41)[:, None]
    score, other = (
        RealismIndex(f, Normal(1), generator=torch.manual_seed(0))
        for f in (lambda z: -z.square().sum(-1), lambda z: (-z.square().sum(-1)).exp() ** 3)
    )
    torch.testing.assert_close(score(z[10:31]), other(z[10:31]))


def ring(z):
    """Logarithm of a density on the circle of radius 2, up to a constant."""
    return -((z.square().sum(-1) + 1e-12).sqrt() - 2).square() / (2 * 0.2**2)


class Ring:
    """Prior with that density."""

    dim = 2

    def sample(self, n, *, generator=None, device=None, dtype=None):
        angle = 2 * math.pi * torch.rand(n, generator=generator)
        radius = 2 + 0.2 * torch.randn(n, generator=generator)
        return radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)


def test_path_along_the_density_avoids_low_density():
    index = RealismIndex(ring, Ring(), generator=torch.manual_seed(0))
    a, b = torch.tensor([2.0, 0.1]), torch.tensor([-1.9, 0.6])
    straight, along = linear(a, b, 15), along_density(a, b, 15, index)
    assert index(straight).min() == 0
    assert index(along).min() > 0.1
    torch.testing.assert_close(along[[0, -1]], torch.stack([a, b]))
    steps = along.diff(dim=0).norm(dim=1)
    assert steps.max() < 2 * steps.median()  # no jump across the low density


def test_path_for_a_constant_index_is_linear():
    index = RealismIndex(lambda z: 0 * z.sum(-1), Uniform(2))
    torch.testing.assert_close(along_density(A, B, 7, index), linear(A, B, 7), atol=1e-6, rtol=0)


def test_path_of_two_points_is_its_end_points():
    index = RealismIndex(ring, Ring(), samples=100)
    torch.testing.assert_close(along_density(A, B, 2, index), torch.stack([A, B]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: linear(A, B, 1), "steps must be an integer >= 2; got 1"),
        (lambda i: linear(A, B[:1], 3), r"same shape \(..., d\); got \(2,\) and \(1,\)"),
        (lambda i: spherical(A, B.double(), 3), "same dtype"),
        (lambda i: realism_index_normal(A, std=0.0), "std must be a finite number > 0"),
        (lambda i: RealismIndex(ring, Ring(), samples=0), "samples must be an integer >= 1"),
        (lambda i: along_density(A[None], B[None], 3, i), r"must have shape \(d,\); got shape \(1, 2\)"),
        (lambda i: along_density(A, B, 3, i, iterations=0), "iterations must be an integer >= 1"),
    ],
)
def test_invalid_input_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call(RealismIndex(ring, Ring(), samples=10))
