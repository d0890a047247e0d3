"""The version by products, which runs on a GPU, on tensors of a CPU."""

import math
from pathlib import Path

import pytest
import torch

from fastlatent.kernels.spectral import coupled_iteration, matmul, newton_schulz, reference
from tests.truth import spectral as truth
from tests.truth.cases import with_gradients
from tests.truth.spectral import conditioned_sample, sample


def by_products(*samples, eps=0.0):
    """Value and gradients of the Fréchet distance of (n, d) samples, on the Gram side where that is smaller."""
    gram = eps == 0 and min(len(x) for x in samples) <= samples[0].shape[-1]
    value, *gradients = matmul.frechet(
        coupled_iteration.geometric_means, [x[None] for x in samples], eps, gram, (True,) * len(samples)
    )
    return value[0], *(g[0] for g in gradients)


def exact(*samples, eps=0.0):
    """The same by the reference, in float64."""
    loss = reference.frechet if len(samples) == 2 else reference.frechet_normal
    return with_gradients(lambda *z: loss(*z, eps), *(x.double() for x in samples))


def errors(found, expected, *samples):
    """Of the value, relative to the traces of the covariances, and the largest of the gradients'."""
    size = sum(x.double().var(0).sum() for x in samples)
    gradients = ((f - e).norm() / e.norm() for f, e in zip(found[1:], expected[1:], strict=True))
    return abs(found[0] - expected[0]) / size, max(gradients)


@pytest.mark.parametrize("d", [1, 2, 7, 64, 140])
@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e6])
def test_samples_of_any_condition(d, condition):
    x, y = conditioned_sample(4 * d, d, condition) + 0.3, conditioned_sample(3 * d + 1, d, condition, seed=2)
    for samples in ((x, y), (y, sample(4 * d, d, torch.float32, seed=5)), (x,)):
        of_value, of_gradient = errors(by_products(*samples), exact(*samples), *samples)
        assert of_value <= 1e-6
        # float32's, in which maps meet samples; with 1e6 twice AB can be beyond the 2e11 that four rounds reach
        assert of_gradient <= (5e-6 if condition <= 1e4 else 1e-8 * condition)


@pytest.mark.parametrize(("n", "m", "d"), [(2, 2, 2), (9, 30, 64), (30, 9, 64), (33, 33, 33), (20, 90, 64)])
def test_the_gram_side(n, m, d):
    x, y = sample(n, d, torch.float32, shift=2.0), sample(m, d, torch.float32, seed=1, scale=1.5)
    for samples in ((x, y), (x,)):
        of_value, of_gradient = errors(by_products(*samples), exact(*samples), *samples)
        assert of_value <= 1e-6
        assert of_gradient <= 1e-5


def test_null_spaces_are_left_out_and_a_ridge_takes_them_in():
    x, y = sample(200, 50, torch.float32), sample(150, 50, torch.float32, seed=1)
    x[:, 0] = 1.0  # a constant coordinate
    x[:, 1] = x[:, 2]  # a repeated one
    for eps in (0.0, 1e-3):
        for samples in ((x, y), (y, x), (x, x + 1), (x,)):
            of_value, of_gradient = errors(by_products(*samples, eps=eps), exact(*samples, eps=eps), *samples)
            assert of_value <= 1e-6
            assert of_gradient <= 1e-5


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_what_is_not_finite_gives_nan(poison):
    x, y = sample(9, 4, torch.float32), sample(9, 4, torch.float32, seed=1)
    x[1, 2] = poison
    assert by_products(x, y)[0].isnan()
    assert by_products(x)[0].isnan()


@pytest.mark.parametrize("units", [1e-12, 1e-6, 1e6, 1e12])
def test_units_do_not_matter(units):
    x, y = sample(60, 12, torch.float32), sample(70, 12, torch.float32, seed=1, shift=0.5)
    expected, found = by_products(x, y), by_products(units * x, units * y)
    torch.testing.assert_close(found[0] / units**2, expected[0], rtol=1e-5, atol=0)
    torch.testing.assert_close(found[1] / units, expected[1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("d", [1, 20, 140])
@pytest.mark.parametrize("condition", [1.0, 1e6, 1e10])
def test_means_carry_one_covariance_into_the_other(d, condition):
    a, b = (truth.covariance(d, condition**0.5, seed)[None] for seed in (1, 2))
    means = coupled_iteration.geometric_means(a, b)
    for map, of, to in ((means.first, a, b), (means.second, b, a)):
        torch.testing.assert_close(map @ of @ map, to, rtol=0, atol=1e-6)
    value = (reference.trace(a) + reference.trace(b) - 2 * means.trace).item()
    assert abs(value - truth.bures(a[0].numpy(), b[0].numpy())) <= 1e-6 * (a + b)[0].trace()


def test_zero_and_matrices_that_do_not_overlap():
    zero, identity = torch.zeros(1, 3, 3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)[None]
    first, second = (torch.diag(torch.tensor(v, dtype=torch.float64))[None] for v in ([1.0, 0, 0], [0.0, 1, 0]))
    for a, b in ((zero, zero), (zero, identity), (first, second)):
        for found in coupled_iteration.geometric_means(a, b)[:3]:
            assert torch.equal(found, torch.zeros_like(found))


@pytest.mark.parametrize("d", [20, 60, 140])
def test_covariances_that_rounding_made_indefinite(d):
    a, b = (truth.covariance(d, 10.0, seed, rank=d // 4).float() for seed in (1, 2))
    assert torch.linalg.eigvalsh(a).min() < 0
    value, *gradients = matmul.bures(coupled_iteration.geometric_means, a[None], b[None], (True, True))
    expected = truth.bures(a.double().numpy(), b.double().numpy())
    # rounding of size dε in directions that hold nothing adds its root to their nuclear norm
    assert abs(value.item() - expected) <= d * (d * 1.2e-7) ** 0.5
    assert all(g.isfinite().all() for g in gradients)


def test_a_batch_is_its_parts_also_where_some_are_indefinite():
    a = torch.stack([truth.covariance(30, 10.0, 1), truth.covariance(30, 10.0, 2, rank=6)]).float()
    b = truth.covariance(30, 10.0, 9).float().expand(2, 30, 30)
    whole = matmul.bures(coupled_iteration.geometric_means, a, b, (True, True))
    for i in range(2):
        part = matmul.bures(coupled_iteration.geometric_means, a[i : i + 1], b[:1], (True, True))
        torch.testing.assert_close(tuple(f[i] for f in whole), tuple(f[0] for f in part), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("condition", "rank"), [(1.0, None), (1e8, None), (10.0, 5)])
def test_the_root_and_its_derivative(condition, rank):
    a = truth.covariance(30, condition, rank=rank)
    root = coupled_iteration.geometric_means(a[None], None).second[0]
    torch.testing.assert_close(root, reference.sqrtm(a), rtol=0, atol=1e-6)
    c = sample(30, 30, seed=3)
    expected = reference.Lyapunov.apply(reference.sqrtm(a), c)
    found = coupled_iteration.lyapunov(reference.sqrtm(a)[None], c[None])[0]
    assert (found - expected).norm() <= 1e-3 * expected.norm()


def test_the_polynomials_are_those_of_the_cpu_version():
    source = (Path(coupled_iteration.__file__).parent / "cpu" / "polar.hpp").read_text()
    for coefficients in coupled_iteration.ROUND:
        assert "{" + ", ".join(map(str, coefficients)) + "}" in source


def test_a_round_leaves_roots_within_its_bound_and_lifts_small_ones_thirtyfold():
    def after_a_round(roots):
        roots = coupled_iteration.CUSHION * roots
        for a, b, c in coupled_iteration.ROUND:
            roots = a * roots + b * roots**3 + c * roots**5
        return roots

    roots = torch.linspace(0.06, 1.003, 10_001, dtype=torch.float64)
    assert (after_a_round(roots / coupled_iteration.CUSHION).clamp(max=2) - 1).abs()[roots <= 1].max() <= 3.2e-3
    small = torch.tensor([1e-6], dtype=torch.float64)
    assert 29 <= (after_a_round(small) / small).item() <= 30
    assert after_a_round(roots).max() <= 1.0033


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_newton_schulz_in_a_number_of_steps_known_beforehand(dtype, monkeypatch):
    a = torch.stack([truth.covariance(40, c, 3) for c in (1.0, 1e2, 1e4)]).to(dtype)
    expected = newton_schulz.roots(a, 40, None)
    steps = []

    def finished(residual, lower, tol):
        steps.append(lower)
        return 1 - lower**2 <= tol

    monkeypatch.setattr(newton_schulz, "finished", finished)
    found = newton_schulz.roots(a, 40, None)
    assert len(steps) < 30
    assert newton_schulz.converged(found[2], dtype)
    torch.testing.assert_close(found[0], expected[0], rtol=0, atol=1e3 * torch.finfo(dtype).eps)


@pytest.mark.parametrize(("n", "d"), [(300, 140), (60, 140)])
def test_nothing_waits_for_a_value(n, d):
    """Tensors of the meta device have none: where one were read, an error would be raised."""
    x, y = torch.empty(2, n, d, device="meta"), torch.empty(2, n + 1, d, device="meta")
    a = torch.empty(2, d, d, device="meta")
    for samples in ([x, y], [x]):
        for eps, gram in ((0.0, n <= d), (0.1, False)):
            value, *gradients = matmul.frechet(
                coupled_iteration.geometric_means, samples, eps, gram, (True,) * len(samples)
            )
            assert value.shape == (2,)
            assert [g.shape for g in gradients] == [z.shape for z in samples]
    assert matmul.bures(coupled_iteration.geometric_means, a, a, (True, False))[1].shape == a.shape
    assert matmul.sqrtm(coupled_iteration.geometric_means, a).shape == a.shape
    assert coupled_iteration.lyapunov(a, a).shape == a.shape
