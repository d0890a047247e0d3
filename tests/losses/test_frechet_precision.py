"""What float32 costs: against float64 truth, and against the usual eigvalsh idiom in float32."""

from functools import partial

import pytest
import torch

from bench import peers_spectral as peers
from fastlatent import bures_wasserstein, frechet_distance, frechet_distance_normal
from fastlatent.kernels.spectral import reference
from tests.truth import spectral as truth
from tests.truth.cases import with_gradients
from tests.truth.spectral import conditioned_sample, sample

ROUTES = ("eigen", "newton_schulz")
SIZES = (8, 64, 140)


def errors(loss, exact, *inputs):
    """Of the value, relative to the traces of the covariances, and of the gradient to the first input."""
    (value, gradient, *_), (expected, of_first, *_) = (
        with_gradients(f, *(i.to(dtype) for i in inputs))
        for f, dtype in ((loss, torch.float32), (exact, torch.float64))
    )
    size = sum(i.double().var(0).sum() for i in inputs)
    return abs(value - expected) / size, (gradient - of_first).norm() / of_first.norm()


@pytest.mark.parametrize(("route", "d"), [*[("auto", d) for d in SIZES], *[(route, 64) for route in ROUTES]])
@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e6])
def test_precision_at_a_condition_number_is_what_the_docstring_says(route, d, condition):
    x = conditioned_sample(4 * d, d, condition)
    for y in (sample(3 * d, d, torch.float32, seed=1), conditioned_sample(3 * d, d, condition, seed=2)):
        of_value, of_gradient = errors(
            partial(frechet_distance, route=route), partial(reference.frechet, eps=0.0), x, y
        )
        assert of_value <= 2e-6
        assert of_gradient <= 1e-5 + 1e-8 * condition


@pytest.mark.parametrize("d", [16, 64])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6])
def test_never_twice_the_error_of_plain_torch(d, condition):
    def total(loss, exact, count):
        """Over several draws: one draw's error can be small by luck."""
        found = torch.zeros(2, dtype=torch.float64)
        for seed in range(4):
            inputs = [conditioned_sample(4 * d, d, condition, seed), sample(4 * d, d, torch.float32, seed + 9)]
            found += torch.stack(errors(loss, exact, *inputs[:count]))
        return found

    for ours, idiom, exact, count in (
        (frechet_distance, peers.eigvalsh_frechet, partial(reference.frechet, eps=0.0), 2),
        (frechet_distance_normal, peers.eigvalsh_normal, partial(reference.frechet_normal, eps=0.0), 1),
    ):
        assert (total(ours, exact, count) <= 2 * total(idiom, exact, count)).all()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12])
def test_units_do_not_matter(route, scale):
    x, y = sample(200, 48, torch.float32), sample(200, 48, torch.float32, seed=1, shift=0.5)
    expected = frechet_distance(x, y, route=route)
    scaled = frechet_distance(scale * x, scale * y, route=route)
    torch.testing.assert_close(scaled / scale**2, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("d", [30, 64])
def test_products_leave_what_is_singular_to_the_eigendecomposition(d):
    x, y = sample(4 * d, d, torch.float32), sample(4 * d, d, torch.float32, seed=1)
    x[:, 3] = x[:, 7]
    found, expected = (with_gradients(partial(frechet_distance, route=route), x, y) for route in ROUTES[::-1])
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_a_batch_is_its_parts_also_where_some_do_not_converge():
    a = torch.stack([truth.covariance(40, c, i) for i, c in enumerate((1.0, 1e3, 1e9))]).float()
    b = truth.covariance(40, 10.0, 9).float().expand(3, 40, 40)
    mean = torch.zeros(40)
    whole = with_gradients(lambda a: bures_wasserstein(mean.expand(3, 40), a, mean.expand(3, 40), b).sum(), a)[1]
    parts = [with_gradients(lambda a: bures_wasserstein(mean, a, mean, b[0]), part)[1] for part in a]
    assert torch.equal(whole, torch.stack(parts))
