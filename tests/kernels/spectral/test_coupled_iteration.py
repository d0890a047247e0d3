"""The coupled iteration by matmul, which a GPU runs, on CPU tensors."""

import math
from pathlib import Path

import pytest
import torch

from fastlatent.kernels.spectral import coupled_iteration, matmul, newton_schulz, reference
from tests.truth import spectral as truth
from tests.truth.cases import with_gradients
from tests.truth.spectral import conditioned_sample, sample


def by_matmul(*samples, eps=0.0):
    """Return value and gradients of the Fréchet distance of (n, d) samples, on the Gram side if that is smaller."""
    gram = eps == 0 and min(len(x) for x in samples) <= samples[0].shape[-1]
    value, *gradients = matmul.frechet(
        coupled_iteration.geometric_means, [x[None] for x in samples], eps, gram, (True,) * len(samples)
    )
    return value[0], *(g[0] for g in gradients)


def exact(*samples, eps=0.0):
    """Return the value and gradients of the reference in float64."""
    loss = reference.frechet if len(samples) == 2 else reference.frechet_normal
    return with_gradients(lambda *z: loss(*z, eps), *(x.double() for x in samples))


def errors(result, expected, *samples):
    """Return the error of the value relative to the traces of the covariances, and the maximal gradient error."""
    size = sum(x.double().var(0).sum() for x in samples)
    gradients = ((f - e).norm() / e.norm() for f, e in zip(result[1:], expected[1:], strict=True))
    return abs(result[0] - expected[0]) / size, max(gradients)


@pytest.mark.parametrize("d", [1, 2, 7, 64, 140])
@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e6])
def test_error_at_any_condition_number(d, condition):
    x, y = conditioned_sample(4 * d, d, condition) + 0.3, conditioned_sample(3 * d + 1, d, condition, seed=2)
    for samples in ((x, y), (y, sample(4 * d, d, torch.float32, seed=5)), (x,)):
        value_error, gradient_error = errors(by_matmul(*samples), exact(*samples), *samples)
        assert value_error <= 1e-6
        # the maps are applied in float32; the condition of AB can exceed the 2e11 that four rounds reach
        assert gradient_error <= (5e-6 if condition <= 1e4 else 1e-8 * condition)


@pytest.mark.parametrize(("n", "m", "d"), [(2, 2, 2), (9, 30, 64), (30, 9, 64), (33, 33, 33), (20, 90, 64)])
def test_gram_side_matches_reference(n, m, d):
    x, y = sample(n, d, torch.float32, shift=2.0), sample(m, d, torch.float32, seed=1, scale=1.5)
    for samples in ((x, y), (x,)):
        value_error, gradient_error = errors(by_matmul(*samples), exact(*samples), *samples)
        assert value_error <= 1e-6
        assert gradient_error <= 1e-5


def test_singular_covariances_with_and_without_ridge():
    x, y = sample(200, 50, torch.float32), sample(150, 50, torch.float32, seed=1)
    x[:, 0] = 1.0  # a constant coordinate
    x[:, 1] = x[:, 2]  # a repeated one
    for eps in (0.0, 1e-3):
        for samples in ((x, y), (y, x), (x, x + 1), (x,)):
            value_error, gradient_error = errors(by_matmul(*samples, eps=eps), exact(*samples, eps=eps), *samples)
            assert value_error <= 1e-6
            assert gradient_error <= 1e-5


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_nan_inf_propagate(number):
    x, y = sample(9, 4, torch.float32), sample(9, 4, torch.float32, seed=1)
    x[1, 2] = number
    assert by_matmul(x, y)[0].isnan()
    assert by_matmul(x)[0].isnan()


@pytest.mark.parametrize("units", [1e-12, 1e-6, 1e6, 1e12])
def test_scale_equivariant(units):
    x, y = sample(60, 12, torch.float32), sample(70, 12, torch.float32, seed=1, shift=0.5)
    expected, scaled = by_matmul(x, y), by_matmul(units * x, units * y)
    torch.testing.assert_close(scaled[0] / units**2, expected[0], rtol=1e-5, atol=0)
    torch.testing.assert_close(scaled[1] / units, expected[1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("d", [1, 20, 140])
@pytest.mark.parametrize("condition", [1.0, 1e6, 1e10])
def test_geometric_mean_transports_covariances(d, condition):
    a, b = (truth.covariance(d, condition**0.5, seed)[None] for seed in (1, 2))
    means = coupled_iteration.geometric_means(a, b)
    for map, source, target in ((means.first, a, b), (means.second, b, a)):
        torch.testing.assert_close(map @ source @ map, target, rtol=0, atol=1e-6)
    value = (reference.trace(a) + reference.trace(b) - 2 * means.trace).item()
    assert abs(value - truth.bures(a[0].numpy(), b[0].numpy())) <= 1e-6 * (a + b)[0].trace()


def test_zero_and_orthogonal_covariances():
    zero, identity = torch.zeros(1, 3, 3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)[None]
    first, second = (torch.diag(torch.tensor(v, dtype=torch.float64))[None] for v in ([1.0, 0, 0], [0.0, 1, 0]))
    for a, b in ((zero, zero), (zero, identity), (first, second)):
        for result in coupled_iteration.geometric_means(a, b)[:3]:
            assert torch.equal(result, torch.zeros_like(result))


@pytest.mark.parametrize("d", [20, 60, 140])
def test_covariances_indefinite_by_rounding(d):
    a, b = (truth.covariance(d, 10.0, seed, rank=d // 4).float() for seed in (1, 2))
    assert torch.linalg.eigvalsh(a).min() < 0
    value, *gradients = matmul.bures(coupled_iteration.geometric_means, a[None], b[None], (True, True))
    expected = truth.bures(a.double().numpy(), b.double().numpy())
    # rounding of size dε in null directions adds its square root to their nuclear norm
    assert abs(value.item() - expected) <= d * (d * 1.2e-7) ** 0.5
    assert all(g.isfinite().all() for g in gradients)


def test_batch_with_indefinite_covariances_matches_loop():
    a = torch.stack([truth.covariance(30, 10.0, 1), truth.covariance(30, 10.0, 2, rank=6)]).float()
    b = truth.covariance(30, 10.0, 9).float().expand(2, 30, 30)
    batched = matmul.bures(coupled_iteration.geometric_means, a, b, (True, True))
    for i in range(2):
        single = matmul.bures(coupled_iteration.geometric_means, a[i : i + 1], b[:1], (True, True))
        torch.testing.assert_close(tuple(f[i] for f in batched), tuple(f[0] for f in single), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("condition", "rank"), [(1.0, None), (1e8, None), (10.0, 5)])
def test_square_root_and_its_derivative_match_reference(condition, rank):
    a = truth.covariance(30, condition, rank=rank)
    root = coupled_iteration.geometric_means(a[None], None).second[0]
    torch.testing.assert_close(root, reference.sqrtm(a), rtol=0, atol=1e-6)
    c = sample(30, 30, seed=3)
    expected = reference.Lyapunov.apply(reference.sqrtm(a), c)
    result = coupled_iteration.lyapunov(reference.sqrtm(a)[None], c[None])[0]
    assert (result - expected).norm() <= 1e-3 * expected.norm()


def test_polynomials_equal_those_of_polar_hpp():
    source = (Path(coupled_iteration.__file__).parent / "cpu" / "polar.hpp").read_text()
    for coefficients in coupled_iteration.ROUND:
        assert "{" + ", ".join(map(str, coefficients)) + "}" in source


def test_polynomial_round_bounds_and_amplifies_singular_values():
    def after_one_round(roots):
        roots = coupled_iteration.CUSHION * roots
        for a, b, c in coupled_iteration.ROUND:
            roots = a * roots + b * roots**3 + c * roots**5
        return roots

    roots = torch.linspace(0.06, 1.003, 10_001, dtype=torch.float64)
    assert (after_one_round(roots / coupled_iteration.CUSHION).clamp(max=2) - 1).abs()[roots <= 1].max() <= 3.2e-3
    small = torch.tensor([1e-6], dtype=torch.float64)
    assert 29 <= (after_one_round(small) / small).item() <= 30
    assert after_one_round(roots).max() <= 1.0033


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_newton_schulz_number_of_steps_is_bounded(dtype, monkeypatch):
    a = torch.stack([truth.covariance(40, c, 3) for c in (1.0, 1e2, 1e4)]).to(dtype)
    expected = newton_schulz.roots(a, 40, None)
    steps = []

    def finished(residual, lower, tol):
        steps.append(lower)
        return 1 - lower**2 <= tol

    monkeypatch.setattr(newton_schulz, "finished", finished)
    result = newton_schulz.roots(a, 40, None)
    assert len(steps) < 30
    assert newton_schulz.converged(result[2], dtype)
    torch.testing.assert_close(result[0], expected[0], rtol=0, atol=1e3 * torch.finfo(dtype).eps)


@pytest.mark.parametrize(("n", "d"), [(300, 140), (60, 140)])
def test_no_host_sync(n, d):
    """Tensors of the meta device have no values: reading one is an error."""
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
