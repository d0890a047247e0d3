"""Triton kernels of the spectral engine against float64 truth, on small samples, for the interpreter, too."""

import math
from functools import partial

import pytest
import torch

import fastlatent
from fastlatent import bures_wasserstein, frechet_distance, frechet_distance_normal, sqrtm, sqrtm_newton_schulz
from fastlatent.kernels import gpu
from fastlatent.kernels.spectral import coupled_iteration, reference
from tests.truth import spectral as truth
from tests.truth.cases import with_gradients
from tests.truth.spectral import conditioned_sample, sample

pytestmark = pytest.mark.usefixtures("on_triton")

LOSSES = {
    2: (frechet_distance, partial(reference.frechet, eps=0.0)),
    1: (frechet_distance_normal, partial(reference.frechet_normal, eps=0.0)),
}


def assert_accurate(*samples, max_gradient_error=2e-6, max_value_error=1e-6):
    """Compare with the reference in float64: the value relative to the traces, gradients relative to their norms."""
    loss, exact = LOSSES[len(samples)]
    value, *gradients = with_gradients(loss, *samples)
    expected, *exact_gradients = with_gradients(exact, *(x.double() for x in samples))
    size = sum(x.double().var(-2).sum(-1) for x in samples)
    assert (abs(value - expected) <= max_value_error * size).all()
    for gradient, exact_gradient in zip(gradients, exact_gradients, strict=True):
        assert (gradient - exact_gradient).norm() <= max_gradient_error * exact_gradient.norm()


@pytest.mark.parametrize(
    ("n", "m", "d"), [(3, 4, 1), (5, 3, 2), (40, 35, 15), (37, 70, 16), (60, 65, 17), (70, 80, 33)]
)
def test_error_at_tile_edges(device, n, m, d):
    x, y = sample(n, d, torch.float32, shift=0.3).to(device), sample(m, d, torch.float32, seed=1, scale=1.5).to(device)
    assert_accurate(x, y)
    assert_accurate(x)


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6])
def test_error_at_any_condition_number(device, condition):
    x, y = (conditioned_sample(n, 17, condition, seed).to(device) for n, seed in ((50, 0), (60, 2)))
    assert_accurate(x, y, max_gradient_error=2e-5)
    assert_accurate(x, max_gradient_error=2e-5)


def test_error_with_several_blocks_per_program(device):
    """d = 65 is padded to 128, four blocks of 64."""
    a, b = (conditioned_sample(150, 65, 10.0, seed).to(device) for seed in (0, 2))
    assert_accurate(a, b)


def test_batch_matches_loop_bitwise(device, monkeypatch):
    monkeypatch.setattr(gpu, "num_sms", lambda _: 1)
    x = torch.stack([conditioned_sample(20, 5, c, i) for i, c in enumerate((1.0, 1e8, 10.0))]).to(device)
    batched = with_gradients(frechet_distance_normal, x)
    looped = [with_gradients(frechet_distance_normal, item) for item in x]
    for result, expected in zip(batched, zip(*looped, strict=True), strict=True):
        assert torch.equal(result, torch.stack(expected))


def test_gram_side_of_few_samples(device):
    x, y = sample(9, 40, torch.float32).to(device), sample(12, 40, torch.float32, seed=1, shift=1.0).to(device)
    assert_accurate(x, y, max_gradient_error=1e-5)
    assert_accurate(x, max_gradient_error=1e-5)
    assert "spectral (gram): triton+matmul" in str(fastlatent.explain(frechet_distance, x, y))


def test_singular_covariances_with_and_without_ridge(device):
    x, y = sample(40, 9, torch.float32).to(device), sample(40, 9, torch.float32, seed=1).to(device)
    x[:, 0], x[:, 1] = 1.0, x[:, 2]
    # in a null space the maps have the error to which rounding in float64 grows there: 1e-4 (docs/spectral.md)
    for eps, a, b, max_error in ((0.0, x, y, 1e-4), (0.0, y, x, 1e-4), (1e-2, x, y, 2e-6)):
        results = with_gradients(partial(frechet_distance, eps=eps), a, b)
        expected = with_gradients(partial(reference.frechet, eps=eps), a.double(), b.double())
        for result, exact in zip(results, expected, strict=True):
            assert (result.double() - exact).norm() <= max_error * exact.norm()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_nan_inf_propagate(device, number):
    x, y = sample(9, 4, torch.float32).to(device), sample(9, 4, torch.float32, seed=1).to(device)
    x[1, 2] = number
    assert frechet_distance(x, y).isnan()
    assert frechet_distance(y, x).isnan()
    assert frechet_distance_normal(x).isnan()


def test_half_precision_and_views_match_reference(device):
    wide = sample(2 * 12, 3 * 30).to(device).bfloat16()
    x = wide[::2, ::18].detach().requires_grad_()
    value = frechet_distance_normal(x)
    value.backward()
    exact = reference.frechet_normal(x.detach().double(), 0.0)
    torch.testing.assert_close(value.double(), exact, rtol=1e-5, atol=1e-5)
    assert (value.dtype, x.grad.dtype, x.grad.shape) == (torch.float32, torch.bfloat16, x.shape)


def test_second_derivatives_match_reference(device):
    x = sample(12, 3, torch.float32).to(device).requires_grad_()
    (gradient,) = torch.autograd.grad(frechet_distance_normal(x), x, create_graph=True)
    second = torch.autograd.grad(gradient.square().sum(), x)[0]
    leaf = x.detach().double().requires_grad_()
    (exact,) = torch.autograd.grad(reference.frechet_normal(leaf, 0.0), leaf, create_graph=True)
    expected = torch.autograd.grad(exact.square().sum(), leaf)[0]
    torch.testing.assert_close(second.double(), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("n", [40, 9], ids=["newton_schulz", "gram"])
def test_autocast_invariant(device, n):
    x, y = sample(n, 16, torch.float32).to(device), sample(30, 16, torch.float32, seed=1).to(device)
    outside = with_gradients(frechet_distance, x, y)
    with torch.autocast(device, dtype=torch.bfloat16):
        inside = with_gradients(frechet_distance, x, y)
    torch.testing.assert_close(inside, outside, rtol=0, atol=0)


def test_gradient_by_one_input(device):
    x, y = sample(9, 4, torch.float32).to(device), sample(8, 4, torch.float32, seed=1).to(device).requires_grad_()
    value = frechet_distance(x, y)
    value.backward()
    expected = with_gradients(LOSSES[2][1], x.double(), y.double())
    torch.testing.assert_close(y.grad.double(), expected[2], rtol=1e-4, atol=1e-6)


def test_bures_and_square_roots_match_reference(device):
    a, b = (truth.covariance(20, 100.0, seed).float().to(device).requires_grad_() for seed in (1, 2))
    mean = torch.zeros(20, device=device)
    value = bures_wasserstein(mean, a, mean, b)
    gradients = torch.autograd.grad(value, (a, b))
    expected = with_gradients(reference.bures, a.double(), b.double())
    for result, exact in zip((value.detach(), *gradients), expected, strict=True):
        torch.testing.assert_close(result.double(), exact, rtol=1e-4, atol=1e-4)
    root = sqrtm(a)
    torch.testing.assert_close(root.double(), reference.sqrtm(a.double()), rtol=0, atol=2e-6)
    (gradient,) = torch.autograd.grad(root.square().sum(), a)  # ‖A^{1/2}‖² = Tr A
    torch.testing.assert_close(gradient, torch.eye(20, device=device), rtol=0, atol=1e-3)


def test_triton_matches_matmul(device):
    from fastlatent.kernels.spectral.triton import launch as triton

    a, b = (truth.covariance(18, c, seed)[None].to(device) for c, seed in ((10.0, 1), (1e8, 2)))
    for first, second in ((a, b), (b, a), (a, None)):
        for by_triton, by_matmul in zip(
            triton.geometric_means(first, second)[:3], coupled_iteration.geometric_means(first, second)[:3], strict=True
        ):
            torch.testing.assert_close(by_triton, by_matmul, rtol=0, atol=2e-6 * by_matmul.abs().max().item())


@pytest.mark.parametrize("condition", [1.0, 1e4])
def test_newton_schulz_roots_are_accurate_in_float32(device, condition):
    a = truth.covariance(12, condition).float().to(device)
    root, inverse = sqrtm_newton_schulz(a)
    torch.testing.assert_close(root.double(), reference.sqrtm(a.double()), rtol=0, atol=1e-4)
    torch.testing.assert_close(inverse @ root, torch.eye(12, device=device), rtol=0, atol=1e-2)
