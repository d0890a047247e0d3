"""Float32 accuracy: errors against float64, and against plain torch (eigvalsh) in float32."""

from functools import partial

import pytest
import torch

from bench.peers import spectral as peers
from fastlatent import bures_wasserstein, frechet_distance, frechet_distance_normal
from fastlatent.kernels.spectral import reference
from tests.truth import spectral as truth
from tests.truth.cases import with_gradients
from tests.truth.spectral import conditioned_sample, errors, sample

ROUTES = ("eigen", "newton_schulz")
SIZES = (8, 64, 140)


@pytest.mark.parametrize(("route", "d"), [*[("auto", d) for d in SIZES], *[(route, 64) for route in ROUTES]])
@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e6])
def test_errors_are_within_the_documented_bounds(route, d, condition):
    x = conditioned_sample(4 * d, d, condition)
    for y in (sample(3 * d, d, torch.float32, seed=1), conditioned_sample(3 * d, d, condition, seed=2)):
        value_error, gradient_error = errors(
            partial(frechet_distance, route=route), partial(reference.frechet, eps=0.0), x, y
        )
        assert value_error <= 2e-6
        assert gradient_error <= 1e-5 + 1e-8 * condition


@pytest.mark.parametrize("d", [16, 64])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6])
def test_error_is_at_most_twice_that_of_eigvalsh(d, condition):
    def total(function, exact, count):
        """Sum of the errors over several draws: a single error can be small by chance."""
        total_error = torch.zeros(2, dtype=torch.float64)
        for seed in range(4):
            inputs = [conditioned_sample(4 * d, d, condition, seed), sample(4 * d, d, torch.float32, seed + 9)]
            total_error += torch.stack(errors(function, exact, *inputs[:count]))
        return total_error

    for loss, idiom, exact, count in (
        (frechet_distance, peers.eigvalsh_frechet, partial(reference.frechet, eps=0.0), 2),
        (frechet_distance_normal, peers.eigvalsh_normal, partial(reference.frechet_normal, eps=0.0), 1),
    ):
        assert (total(loss, exact, count) <= 2 * total(idiom, exact, count)).all()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12])
def test_equivariant_to_scale(route, scale):
    x, y = sample(200, 48, torch.float32), sample(200, 48, torch.float32, seed=1, shift=0.5)
    expected = frechet_distance(x, y, route=route)
    scaled = frechet_distance(scale * x, scale * y, route=route)
    torch.testing.assert_close(scaled / scale**2, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("d", [30, 64])
def test_newton_schulz_falls_back_to_eigen_at_singular_covariances(d):
    x, y = sample(4 * d, d, torch.float32), sample(4 * d, d, torch.float32, seed=1)
    x[:, 3] = x[:, 7]
    actual, expected = (with_gradients(partial(frechet_distance, route=route), x, y) for route in ROUTES[::-1])
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def test_batch_with_a_fallback_equals_separate_calls():
    a = torch.stack([truth.covariance(40, c, i) for i, c in enumerate((1.0, 1e3, 1e9))]).float()
    b = truth.covariance(40, 10.0, 9).float().expand(3, 40, 40)
    mean = torch.zeros(40)
    whole = with_gradients(lambda a: bures_wasserstein(mean.expand(3, 40), a, mean.expand(3, 40), b).sum(), a)[1]
    parts = [with_gradients(lambda a: bures_wasserstein(mean, a, mean, b[0]), part)[1] for part in a]
    assert torch.equal(whole, torch.stack(parts))
