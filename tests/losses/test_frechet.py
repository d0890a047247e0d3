"""Properties of the Fréchet distance and of matrix square roots."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fastlatent
from fastlatent import bures_wasserstein, frechet_distance, frechet_distance_normal, sqrtm, sqrtm_newton_schulz
from tests.truth import spectral as truth
from tests.truth.spectral import sample

# Rounding error of a sum of d terms, relative to the traces.
ROUNDING = {torch.float64: 1e-12, torch.float32: 3e-6, torch.bfloat16: 3e-6, torch.float16: 3e-6}


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize(
    ("n", "m", "d"), [(2, 2, 1), (5, 3, 2), (40, 60, 8), (9, 30, 16), (30, 9, 16), (300, 400, 140)]
)
def test_equals_the_nuclear_norm_formula(n, m, d, dtype):
    x, y = sample(n, d, dtype), sample(m, d, dtype, seed=1, scale=1.5, shift=0.3)
    expected = truth.frechet(x, y)
    size = float(x.double().var(0).sum() + y.double().var(0).sum())
    assert abs(frechet_distance(x, y).item() - expected) <= ROUNDING[dtype] * size


@pytest.mark.parametrize("route", ["eigen", "gram", "newton_schulz"])
def test_routes_have_equal_gradients(route):
    x, y = sample(12, 9).requires_grad_(), sample(14, 9, seed=1, scale=2.0).requires_grad_()
    actual = torch.autograd.grad(frechet_distance(x, y, route=route), (x, y))
    with fastlatent.use_backend("reference"):
        expected = torch.autograd.grad(frechet_distance(x, y), (x, y))
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)
    backend = "lapack+matmul" if route == "newton_schulz" else "cpu"  # the native iteration is float32's
    assert f"spectral ({route}): {backend}" in str(fastlatent.explain(frechet_distance, x, y, route=route))


@pytest.mark.parametrize("route", ["eigen", "gram", "newton_schulz"])
def test_routes_of_the_distance_to_the_normal_agree(route):
    x = sample(8, 8 if route == "gram" else 6).requires_grad_()
    value = frechet_distance_normal(x, route=route)
    (actual,) = torch.autograd.grad(value, x)
    with fastlatent.use_backend("reference"):
        reference = frechet_distance_normal(x)
        (expected,) = torch.autograd.grad(reference, x)
    torch.testing.assert_close(value, reference)
    torch.testing.assert_close(actual, expected)


def test_distance_to_the_normal_equals_bures_to_mean_0_and_identity():
    x = sample(50, 7, shift=0.5, scale=1.3)
    zero, identity = torch.zeros(7, dtype=x.dtype), torch.eye(7, dtype=x.dtype)
    torch.testing.assert_close(frechet_distance_normal(x), bures_wasserstein(x.mean(0), torch.cov(x.T), zero, identity))


def test_eps_is_added_to_both_covariances():
    x, y = sample(5, 8), sample(20, 8, seed=1, shift=1.0)
    ridge = 0.1 * torch.eye(8, dtype=x.dtype)
    expected = bures_wasserstein(x.mean(0), torch.cov(x.T) + ridge, y.mean(0), torch.cov(y.T) + ridge)
    torch.testing.assert_close(frechet_distance(x, y, eps=0.1), expected)


@given(st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_commuting_covariances_in_closed_form(variances):
    a, b = torch.tensor(variances, dtype=torch.float64).T
    mean = torch.zeros(len(a), dtype=torch.float64)
    expected = (a.sqrt() - b.sqrt()).square().sum()
    actual = bures_wasserstein(mean, torch.diag(a), mean, torch.diag(b))
    assert abs(actual - expected) <= 1e-12 * (a + b).sum()


@given(st.integers(1, 200), st.floats(0, 8), st.sampled_from([1e-6, 1.0, 1e6]), st.integers(0, 10**6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_bures_at_any_size_condition_and_scale(d, exponent, scale, seed, low_rank):
    rank = max(1, d // 2) if low_rank else None
    a = scale * truth.covariance(d, 10**exponent, seed)
    b = scale * truth.covariance(d, 10**exponent, seed + 1, rank)
    mean = torch.zeros(d, dtype=a.dtype)
    found = bures_wasserstein(mean, a, mean, b).item()
    # W = R₂Σ₁R₂ᵀ holds squares: an eigenvalue's root is right to √(dε) where it is nearly 0
    allowed = (d * 2.2e-16) ** 0.5 * scale * (d if low_rank else 1)
    assert abs(found - truth.bures(a.numpy(), b.numpy())) <= max(allowed, 1e-12 * float(a.trace() + b.trace()))


@pytest.mark.parametrize("shift", [0.0, 10.0])
@pytest.mark.parametrize(("n", "d"), [(32, 8), (8, 32), (600, 150), (100, 150)])
@pytest.mark.parametrize("condition", [1.0, 1e4, 1e8])
def test_distance_of_a_sample_to_itself_is_zero(n, d, condition, shift):
    x = (
        sample(n, d) @ torch.diag(torch.logspace(0, -math.log10(condition) / 2, d, dtype=torch.float64)) + shift
    ).float()
    trace = x.double().var(0).sum()
    assert abs(frechet_distance(x, x)) <= 1e-5 * trace


@pytest.mark.parametrize("d", [3, 150])
def test_singular_covariances_give_finite_values_and_gradients(d):
    x = sample(4 * d, d)
    x[:, 0] = 1.0  # a constant coordinate
    x[:, 1] = x[:, 2]  # a repeated coordinate
    y = sample(4 * d, d, seed=1)
    for eps in (0.0, 1e-3):
        for first, second in ((x, y), (y, x), (x, x)):
            a = first.clone().requires_grad_()
            b = second.clone().requires_grad_()
            value = frechet_distance(a, b, eps=eps)
            value.backward()
            assert value.isfinite()
            assert a.grad.isfinite().all()
            assert b.grad.isfinite().all()


def test_constant_samples_in_closed_form():
    x, y = torch.full((4, 3), 2.0, requires_grad=True), torch.zeros(5, 3)
    value = frechet_distance(x, y)
    value.backward()
    assert value.item() == 12.0
    torch.testing.assert_close(x.grad, torch.full((4, 3), 1.0))  # 2(μ₁−μ₂)/n


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("d", [4, 140])
def test_nan_and_infinity_give_nan(number, d):
    x, y = sample(2 * d, d), sample(2 * d, d, seed=1)
    x[1, 2] = number
    assert frechet_distance(x, y).isnan()
    assert frechet_distance(y, x).isnan()
    assert frechet_distance_normal(x).isnan()


def test_invariant_to_permutation_shift_and_rotation():
    x, y = sample(40, 6), sample(50, 6, seed=1, scale=2.0)
    rotation = torch.linalg.qr(sample(6, 6, seed=2)).Q
    expected = frechet_distance(x, y)
    torch.testing.assert_close(frechet_distance(x.flip(0), y), expected)
    torch.testing.assert_close(frechet_distance(x + 3, y + 3), expected)
    torch.testing.assert_close(frechet_distance(x @ rotation, y @ rotation), expected)
    torch.testing.assert_close(frechet_distance(y, x), expected)


@pytest.mark.parametrize(("n", "m", "d"), [(6, 7, 3), (3, 6, 4), (4, 6, 4), (5, 5, 1)])
def test_first_and_second_derivatives(n, m, d):
    x, y = sample(n, d).requires_grad_(), sample(m, d, seed=1, scale=1.5).requires_grad_()
    assert torch.autograd.gradcheck(frechet_distance, (x, y))
    assert torch.autograd.gradgradcheck(frechet_distance, (x, y), atol=1e-4)
    assert torch.autograd.gradcheck(frechet_distance_normal, (x,))
    assert torch.autograd.gradgradcheck(frechet_distance_normal, (x,), atol=1e-4)


def test_gradient_with_a_ridge_is_exact_at_a_singular_covariance():
    x, y = sample(3, 4).requires_grad_(), sample(9, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: frechet_distance(x, y, eps=0.1), (x, y))
    assert torch.autograd.gradcheck(lambda x: frechet_distance_normal(x, eps=0.1), (x,))


@pytest.mark.parametrize("d", [20, 60, 140])
def test_eigenvalues_negative_by_rounding_count_as_0(d):
    a, b = (truth.covariance(d, 10.0, seed, rank=d // 4).float().requires_grad_() for seed in (1, 2))
    assert torch.linalg.eigvalsh(a).min() < 0
    mean = torch.zeros(d)
    value = bures_wasserstein(mean, a, mean, b)
    expected = truth.bures(*(z.detach().double().numpy() for z in (a, b)))
    # rounding errors dε in the null space add their root to the nuclear norm
    assert abs(value.item() - expected) <= d * (d * 1.2e-7) ** 0.5
    assert all(g.isfinite().all() for g in torch.autograd.grad(value, (a, b)))


def test_bures_derivatives():
    a, b = (truth.covariance(3, 10, seed).requires_grad_() for seed in (1, 2))
    mean = sample(1, 3)[0]

    def distance(a, b):
        return bures_wasserstein(mean, (a + a.mT) / 2, mean, (b + b.mT) / 2)

    assert torch.autograd.gradcheck(distance, (a, b))
    assert torch.autograd.gradgradcheck(distance, (a, b))


def test_batch_of_mixed_conditioning_equals_separate_calls():
    covariances = torch.stack([truth.covariance(20, c, i) for i, c in enumerate((1.0, 1e3, 1e8))]).requires_grad_()
    other = truth.covariance(20, 10.0, 9).expand(3, 20, 20)
    mean = torch.zeros(3, 20, dtype=other.dtype)
    values = bures_wasserstein(mean, covariances, mean, other)
    parts = torch.stack([bures_wasserstein(mean[0], c, mean[0], other[0]) for c in covariances])
    torch.testing.assert_close(values, parts, rtol=0, atol=0)
    batch_gradients, separate_gradients = (torch.autograd.grad(v.sum(), covariances)[0] for v in (values, parts))
    torch.testing.assert_close(batch_gradients, separate_gradients, rtol=0, atol=0)


def test_vmap_and_torch_func_agree_with_autograd():
    x, y = torch.stack([sample(9, 3, seed=s) for s in range(4)]), sample(8, 3, seed=9)
    expected = frechet_distance(x, y.expand(4, 8, 3))
    torch.testing.assert_close(torch.vmap(frechet_distance, (0, None))(x, y), expected)
    leaf = x[0].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(frechet_distance(leaf, y), leaf)
    torch.testing.assert_close(torch.func.grad(frechet_distance)(x[0], y), gradient)


def test_compiles_as_one_graph():
    x, y = sample(9, 3, torch.float32).requires_grad_(), sample(8, 3, torch.float32, seed=1)
    for loss in (lambda x: frechet_distance(x, y), frechet_distance_normal, lambda x: sqrtm(x.mT @ x).sum()):
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x), loss(x))
        torch.testing.assert_close(torch.autograd.grad(compiled(x), x), torch.autograd.grad(loss(x), x))


@given(st.integers(1, 200), st.floats(0, 8), st.sampled_from([1e-6, 1.0, 1e6]), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_sqrtm_equals_scipy(d, exponent, scale, seed):
    a = scale * truth.covariance(d, 10**exponent, seed)
    expected = scipy.linalg.sqrtm(a.numpy()).real
    max_error = 1e-13 * d * 10 ** (exponent / 2) * math.sqrt(scale)  # ε·√κ
    assert np.abs(sqrtm(a).numpy() - expected).max() <= max_error


def test_sqrtm_of_zero_and_singular_matrices():
    zero = torch.zeros(3, 3, dtype=torch.float64)
    assert torch.equal(sqrtm(zero), zero)
    slightly_negative = torch.diag(torch.tensor([1.0, -1e-17], dtype=torch.float64))
    torch.testing.assert_close(sqrtm(slightly_negative), torch.diag(torch.tensor([1.0, 0.0], dtype=torch.float64)))
    low_rank = truth.covariance(30, 10.0, rank=5)
    torch.testing.assert_close(sqrtm(low_rank) @ sqrtm(low_rank), low_rank)


@pytest.mark.parametrize("spectrum", [(1.0, 2.0, 5.0), (2.0, 2.0, 2.0), (1.0, 1.0, 3.0)])
def test_sqrtm_derivatives_for_any_multiplicity(spectrum):
    basis = torch.linalg.qr(sample(3, 3)).Q
    a = (basis * torch.tensor(spectrum, dtype=torch.float64) @ basis.T).requires_grad_()

    def symmetric(function):
        return lambda a: function((a + a.mT) / 2)

    for function in (sqrtm, sqrtm_newton_schulz):
        assert torch.autograd.gradcheck(symmetric(function), (a,))
        assert torch.autograd.gradgradcheck(symmetric(function), (a,))


@pytest.mark.parametrize(("dtype", "condition", "max_error"), [(torch.float64, 1e8, 1e-9), (torch.float32, 1e4, 1e-4)])
def test_newton_schulz_gives_both_roots(dtype, condition, max_error):
    a = torch.stack([truth.covariance(40, c, 3) for c in (1.0, condition)])
    root, inverse = sqrtm_newton_schulz(a.to(dtype))
    torch.testing.assert_close(root.double(), sqrtm(a), rtol=0, atol=max_error)
    torch.testing.assert_close(
        inverse.double() @ sqrtm(a), torch.eye(40).double().expand(2, 40, 40), rtol=0, atol=max_error * condition**0.5
    )


def test_newton_schulz_warns_without_convergence():
    with pytest.warns(RuntimeWarning, match="did not converge in 3 iterations"):
        sqrtm_newton_schulz(truth.covariance(5, 1e6), max_iterations=3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: frechet_distance(x[:1], x), ValueError, "x must have n >= 2"),
        (lambda x: frechet_distance(x, x[:, :2]), ValueError, "must agree"),
        (lambda x: frechet_distance(x, x, eps=-1.0), ValueError, "eps must be a finite number >= 0"),
        (lambda x: frechet_distance(x, x, eps=1.0, route="gram"), ValueError, "eps must be 0 with route='gram'"),
        (lambda x: frechet_distance(x, x, route="svd"), ValueError, "route must be one of"),
        (lambda x: frechet_distance_normal([1.0]), TypeError, "x must be a torch.Tensor"),
        (lambda x: sqrtm(x), ValueError, r"a must have shape \(..., d, d\)"),
        (lambda x: sqrtm_newton_schulz(x[:3], max_iterations=0), ValueError, "max_iterations must be an integer >= 1"),
        (lambda x: bures_wasserstein(x[0], x[:3], x[0], x[:3].float()), ValueError, "same dtype and device"),
        (lambda x: bures_wasserstein(x[0], x[:3], x, x[:3]), ValueError, "must have shape"),
    ],
)
def test_invalid_input_raises(call, error, message):
    with pytest.raises(error, match=message):
        call(sample(5, 3))


def test_roots_ignore_autocast():
    a = sample(30, 6, torch.float32)
    a = (a.T @ a / 30).requires_grad_()
    weight = torch.randn(6, 6)

    def step():
        root, inverse = sqrtm_newton_schulz(a)
        return root, inverse, *torch.autograd.grad((root * weight + inverse * weight).sum(), a)

    outside = step()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = step()
    torch.testing.assert_close(inside, outside, rtol=0, atol=0)
