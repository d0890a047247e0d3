"""The spectral engine on a GPU against float64 truth; small and ragged, so that the interpreter can run it too."""

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


def assert_right(*samples, allowed=2e-6, of_value=1e-6):
    """Against the reference in float64: value within `of_value` of the traces, gradients `allowed` of their norm."""
    ours, exact = LOSSES[len(samples)]
    value, *gradients = with_gradients(ours, *samples)
    expected, *exact_gradients = with_gradients(exact, *(x.double() for x in samples))
    size = sum(x.double().var(-2).sum(-1) for x in samples)
    assert (abs(value - expected) <= of_value * size).all()
    for found, of_truth in zip(gradients, exact_gradients, strict=True):
        assert (found - of_truth).norm() <= allowed * of_truth.norm()


@pytest.mark.parametrize(
    ("n", "m", "d"), [(3, 4, 1), (5, 3, 2), (40, 35, 15), (37, 70, 16), (60, 65, 17), (70, 80, 33)]
)
def test_samples_at_the_edges_of_tiles(device, n, m, d):
    x, y = sample(n, d, torch.float32, shift=0.3).to(device), sample(m, d, torch.float32, seed=1, scale=1.5).to(device)
    assert_right(x, y)
    assert_right(x)


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6])
def test_what_float32_cannot_hold_is_taken_in_float64(device, condition):
    x, y = (conditioned_sample(n, 17, condition, seed).to(device) for n, seed in ((50, 0), (60, 2)))
    assert_right(x, y, allowed=2e-5)
    assert_right(x, allowed=2e-5)


def test_a_program_for_several_blocks(device):
    """d = 65 is padded to 128, four blocks of 64."""
    a, b = (conditioned_sample(150, 65, 10.0, seed).to(device) for seed in (0, 2))
    assert_right(a, b)


def test_batches_take_turns_and_are_their_parts(device, monkeypatch):
    monkeypatch.setattr(gpu, "num_sms", lambda _: 1)
    x = torch.stack([conditioned_sample(20, 5, c, i) for i, c in enumerate((1.0, 1e8, 10.0))]).to(device)
    whole = with_gradients(frechet_distance_normal, x)
    parts = [with_gradients(frechet_distance_normal, part) for part in x]
    for found, expected in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(found, torch.stack(expected))


def test_the_gram_side_of_few_samples(device):
    x, y = sample(9, 40, torch.float32).to(device), sample(12, 40, torch.float32, seed=1, shift=1.0).to(device)
    assert_right(x, y, allowed=1e-5)
    assert_right(x, allowed=1e-5)
    assert "spectral (gram): triton+matmul" in str(fastlatent.explain(frechet_distance, x, y))


def test_singular_covariances_with_and_without_a_ridge(device):
    x, y = sample(40, 9, torch.float32).to(device), sample(40, 9, torch.float32, seed=1).to(device)
    x[:, 0], x[:, 1] = 1.0, x[:, 2]
    # across a null space the maps are as exact as what rounding in float64 grows to there: 1e-4 (docs/spectral.md)
    for eps, a, b, allowed in ((0.0, x, y, 1e-4), (0.0, y, x, 1e-4), (1e-2, x, y, 2e-6)):
        found = with_gradients(partial(frechet_distance, eps=eps), a, b)
        expected = with_gradients(partial(reference.frechet, eps=eps), a.double(), b.double())
        for f, e in zip(found, expected, strict=True):
            assert (f.double() - e).norm() <= allowed * e.norm()


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_what_is_not_finite_gives_nan(device, poison):
    x, y = sample(9, 4, torch.float32).to(device), sample(9, 4, torch.float32, seed=1).to(device)
    x[1, 2] = poison
    assert frechet_distance(x, y).isnan()
    assert frechet_distance(y, x).isnan()
    assert frechet_distance_normal(x).isnan()


def test_half_precision_and_views_are_read_as_they_are(device):
    wide = sample(2 * 12, 3 * 30).to(device).bfloat16()
    x = wide[::2, ::18].detach().requires_grad_()
    value = frechet_distance_normal(x)
    value.backward()
    exact = reference.frechet_normal(x.detach().double(), 0.0)
    torch.testing.assert_close(value.double(), exact, rtol=1e-5, atol=1e-5)
    assert (value.dtype, x.grad.dtype, x.grad.shape) == (torch.float32, torch.bfloat16, x.shape)


def test_second_derivatives_are_the_references(device):
    x = sample(12, 3, torch.float32).to(device).requires_grad_()
    (gradient,) = torch.autograd.grad(frechet_distance_normal(x), x, create_graph=True)
    found = torch.autograd.grad(gradient.square().sum(), x)[0]
    leaf = x.detach().double().requires_grad_()
    (exact,) = torch.autograd.grad(reference.frechet_normal(leaf, 0.0), leaf, create_graph=True)
    expected = torch.autograd.grad(exact.square().sum(), leaf)[0]
    torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("n", [40, 9], ids=["newton_schulz", "gram"])
def test_autocast_does_not_reach_inside(device, n):
    x, y = sample(n, 16, torch.float32).to(device), sample(30, 16, torch.float32, seed=1).to(device)
    outside = with_gradients(frechet_distance, x, y)
    with torch.autocast(device, dtype=torch.bfloat16):
        inside = with_gradients(frechet_distance, x, y)
    torch.testing.assert_close(inside, outside, rtol=0, atol=0)


def test_only_the_gradients_that_are_needed(device):
    x, y = sample(9, 4, torch.float32).to(device), sample(8, 4, torch.float32, seed=1).to(device).requires_grad_()
    value = frechet_distance(x, y)
    value.backward()
    expected = with_gradients(LOSSES[2][1], x.double(), y.double())
    torch.testing.assert_close(y.grad.double(), expected[2], rtol=1e-4, atol=1e-6)


def test_bures_and_roots_of_given_matrices(device):
    a, b = (truth.covariance(20, 100.0, seed).float().to(device).requires_grad_() for seed in (1, 2))
    mean = torch.zeros(20, device=device)
    value = bures_wasserstein(mean, a, mean, b)
    gradients = torch.autograd.grad(value, (a, b))
    expected = with_gradients(reference.bures, a.double(), b.double())
    for found, e in zip((value.detach(), *gradients), expected, strict=True):
        torch.testing.assert_close(found.double(), e, rtol=1e-4, atol=1e-4)
    root = sqrtm(a)
    torch.testing.assert_close(root.double(), reference.sqrtm(a.double()), rtol=0, atol=2e-6)
    (found,) = torch.autograd.grad(root.square().sum(), a)  # ‖A^{1/2}‖² = Tr A
    torch.testing.assert_close(found, torch.eye(20, device=device), rtol=0, atol=1e-3)


def test_both_versions_of_the_iteration_agree(device):
    from fastlatent.kernels.spectral.triton import launch as triton

    a, b = (truth.covariance(18, c, seed)[None].to(device) for c, seed in ((10.0, 1), (1e8, 2)))
    for first, second in ((a, b), (b, a), (a, None)):
        for ours, by_matmul in zip(
            triton.geometric_means(first, second)[:3], coupled_iteration.geometric_means(first, second)[:3], strict=True
        ):
            torch.testing.assert_close(ours, by_matmul, rtol=0, atol=2e-6 * by_matmul.abs().max().item())


@pytest.mark.parametrize("condition", [1.0, 1e4])
def test_newton_schulz_takes_its_dtype(device, condition):
    a = truth.covariance(12, condition).float().to(device)
    root, inverse = sqrtm_newton_schulz(a)
    torch.testing.assert_close(root.double(), reference.sqrtm(a.double()), rtol=0, atol=1e-4)
    torch.testing.assert_close(inverse @ root, torch.eye(12, device=device), rtol=0, atol=1e-2)
