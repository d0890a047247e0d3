"""Native CPU kernels of the pairwise engine on every instruction set: accuracy, threads, half precision."""

from functools import partial

import numpy as np
import pytest
import torch

import fastlatent as fl
from fastlatent.kernels.pairwise.cpu import launch as cpu
from fastlatent.utils.threads import torch_threads
from tests.truth.cases import CASES, CHAMFER, CRAMER_WOLD, MMDS, with_gradients
from tests.truth.clouds import TILE, Clouds

pytestmark = pytest.mark.usefixtures("isa", "on_cpu")


@pytest.fixture
def on_cpu():
    with fl.use_backend("cpu"):
        yield


SHAPES = [(2, 3, 1), (5, 2, 3), (95, 97, 8), (96, 96, 9), (193, 40, 64), (1500, 1000, 200)]


@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
@pytest.mark.parametrize(("n", "m", "d"), SHAPES)
def test_imq_float32_matches_float64_truth(n, m, d, estimator):
    case = next(c for c in MMDS if c.name == f"imq-{estimator}")
    x, y = Clouds(n, m, d).draw(torch.float32)
    value, *gradients = with_gradients(case, x, y)
    exact = case.exact(x, y)
    assert abs(value.item() - exact.value) <= 1e-5 * 7  # seven scales: a difference of means that may vanish
    for gradient, truth in zip(gradients, exact.gradients, strict=True):
        assert np.linalg.norm(gradient.numpy() - truth) <= 1e-4 * np.linalg.norm(truth)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(("n", "m", "d"), [(2, 3, 1), (47, 49, 3), (48, 97, 19), (145, 50, 65)])
def test_float64_matches_truth(case, n, m, d):
    x, y = Clouds(n, m, d, duplicates=True).draw(torch.float64)
    value, *gradients = with_gradients(case, *(x, y)[: case.samples])
    exact = case.exact(x, y)
    assert abs(value.item() - exact.value) <= 1e-14 * exact.terms
    for gradient, truth, terms in zip(gradients, exact.gradients, exact.gradient_terms, strict=True):
        np.testing.assert_allclose(gradient.numpy(), truth, rtol=0, atol=1e-13 * terms.max())


@pytest.mark.parametrize("case", [*MMDS[::4], *CRAMER_WOLD, *CHAMFER], ids=str)
@pytest.mark.parametrize(("batch", "n", "m"), [((), 5 * TILE + 1, 3 * TILE - 1), ((3,), 2 * TILE + 1, TILE)])
def test_bitwise_identical_for_any_number_of_threads(case, batch, n, m, monkeypatch):
    monkeypatch.setattr(cpu, "MIN_THREADED_OPERATIONS", 0.0)
    x, y = torch.randn(*batch, n, 5), torch.randn(*batch, m, 5)
    first, *others = (_with_threads(case, threads, x, y) for threads in (1, 2, 3, 2))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def _with_threads(case, threads, x, y):
    with torch_threads(threads):
        return with_gradients(case, *(x, y)[: case.samples])


def test_large_problems_use_threads(monkeypatch):
    operation_counts = []
    monkeypatch.setattr(cpu, "_num_threads", lambda operations: operation_counts.append(operations) or 1)
    for n in (64, 4096):
        fl.mmd_imq(torch.randn(n, 64), torch.randn(n, 64))
    small, large = operation_counts
    assert small < cpu.MIN_THREADED_OPERATIONS < large


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_half_precision_is_computed_in_float32(case, dtype):
    inputs = [i.to(dtype) for i in Clouds(97, 33, 5).draw(torch.float64)][: case.samples]
    value, *gradients = with_gradients(case, *inputs)
    wide, *wide_gradients = with_gradients(case, *(i.float() for i in inputs))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, wide, rtol=0, atol=1e-6 * case.exact(*inputs).terms)
    for gradient, wide_gradient in zip(gradients, wide_gradients, strict=True):
        assert gradient.dtype == dtype
        torch.testing.assert_close(gradient, wide_gradient.to(dtype))


def test_every_finite_float16_is_exact():
    x = torch.arange(-(2**15), 2**15, dtype=torch.int16).view(torch.float16)
    x = x[x.isfinite()].unsqueeze(-1)
    origin = torch.zeros(1, 1, dtype=torch.float16)
    loss = partial(fl.mmd, kernel=fl.Energy(), estimator="biased")
    values = torch.stack([loss(point.unsqueeze(0), origin) for point in x[::97]])
    torch.testing.assert_close(values, 2 * x[::97, 0].float().abs(), rtol=1e-6, atol=0)
