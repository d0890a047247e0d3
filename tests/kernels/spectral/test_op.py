"""Registered ops of the spectral engine: opcheck, selection of the route, gradients of one input."""

import pytest
import torch

import fastlatent
from fastlatent import frechet_distance, frechet_distance_normal
from fastlatent.kernels.spectral import bures, frechet, frechet_normal
from fastlatent.kernels.spectral.roots import newton_schulz_op, sqrtm_op
from tests.truth.spectral import sample


def test_unneeded_gradients_are_empty():
    x, y = sample(9, 4), sample(8, 4, seed=1)
    value, x_gradient, y_gradient = frechet(x, y, 0.0, "auto", False, True)
    assert x_gradient.numel() == 0
    assert y_gradient.shape == y.shape
    assert value == frechet_distance(x, y)


def test_smaller_gram_side_is_selected():
    explanation = fastlatent.explain(frechet_distance, sample(5, 9), sample(20, 9, seed=1))
    assert "spectral (gram): cpu" in str(explanation)
    explanation = fastlatent.explain(frechet_distance, sample(10, 9), sample(20, 9, seed=1))
    assert "spectral (eigen): cpu" in str(explanation)


@pytest.mark.parametrize(
    ("d", "dtype", "route"),
    [(64, torch.float32, "newton_schulz"), (8, torch.float32, "eigen"), (64, torch.float64, "eigen")],
)
def test_newton_schulz_is_selected_for_float32_of_medium_size(d, dtype, route):
    x = sample(4 * d, d).to(dtype)
    assert f"spectral ({route}): cpu" in str(fastlatent.explain(frechet_distance_normal, x))


def test_opcheck():
    x, y = sample(6, 3).requires_grad_(), sample(5, 3, seed=1).requires_grad_()
    a, b = (z.mT @ z for z in (x.detach(), y.detach()))
    a, b = a.requires_grad_(), b.requires_grad_()
    torch.library.opcheck(frechet, (x, y, 0.0, "auto", True, True))
    torch.library.opcheck(frechet, (x, y.detach(), 0.0, "newton_schulz", True, False))
    torch.library.opcheck(frechet_normal, (x, 0.1, "auto", True))
    torch.library.opcheck(bures, (a, b, "auto", True, True))
    torch.library.opcheck(sqrtm_op, (a,))
    torch.library.opcheck(newton_schulz_op, (a, 40, 1e-8))
