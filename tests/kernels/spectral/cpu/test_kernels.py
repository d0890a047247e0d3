"""Native CPU kernels of the spectral engine: agreement with the reference, threads, views."""

from functools import partial

import pytest
import torch

from fastlatent import frechet_distance, frechet_distance_normal
from fastlatent.kernels.spectral import reference
from fastlatent.kernels.spectral.cpu import launch as cpu
from tests.truth.cases import with_gradients

TILE_EDGES = (1, 2, 3, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 24, 25, 31, 33, 64, 65, 127, 128, 129)


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("d", TILE_EDGES)
def test_eigendecomposition_matches_reference_at_tile_edges(isa, d):
    for n, m in ((d + 3, 2 * d + 5), (max(2, d // 2), d + 1), (d + 1, max(2, d // 3))):
        x, y = gaussian(n, d).requires_grad_(), (1.5 * gaussian(m, d, seed=1)).requires_grad_()
        value = frechet_distance(x, y)
        expected = reference.frechet(x, y, 0.0)
        torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-10)
        for a, b in zip(*(torch.autograd.grad(v, (x, y)) for v in (value, expected)), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-8)  # gradients lose the digits of the condition number


@pytest.mark.parametrize("d", TILE_EDGES)
def test_newton_schulz_matches_reference_at_tile_edges(isa, d):
    x, y = gaussian(3 * d + 1, d).float(), (1.5 * gaussian(4 * d, d, seed=1)).float()
    for loss, exact, inputs in (
        (frechet_distance, reference.frechet, (x, y)),
        (frechet_distance_normal, reference.frechet_normal, (x,)),
    ):
        result = with_gradients(partial(loss, route="newton_schulz"), *inputs)
        expected = with_gradients(partial(exact, eps=0.0), *inputs)
        torch.testing.assert_close(result, expected, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("route", ["eigen", "gram"])
def test_native_matches_lapack(isa, route, monkeypatch):
    x = gaussian(20, 12 if route == "eigen" else 30).requires_grad_()
    value = frechet_distance_normal(x, route=route)
    (gradient,) = torch.autograd.grad(value, x)
    monkeypatch.setattr(cpu, "MAX_EIGEN_SIZE", 0)
    expected = frechet_distance_normal(x, route=route)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, x)[0])


def test_bitwise_identical_for_any_number_of_threads():
    x, y = gaussian(7, 30, 17), gaussian(7, 20, 17, seed=1)
    before = torch.get_num_threads()
    values = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        values.append(frechet_distance(x, y))
    torch.set_num_threads(before)
    assert torch.equal(*values)


def test_views_and_half_precision():
    x, y = gaussian(3, 20, 40)[1, :, ::4], gaussian(10, 25, seed=1).T
    torch.testing.assert_close(frechet_distance(x, y), frechet_distance(x.contiguous(), y.contiguous()))
    half = x.bfloat16().requires_grad_()
    value = frechet_distance(half, y.bfloat16())
    value.backward()
    assert (value.dtype, half.grad.dtype) == (torch.float32, torch.bfloat16)
