"""Dispatch of CUDA tensors in the spectral engine, on fake tensors: reading a value is an error."""

from collections.abc import Iterator

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import fastlatent as fl
from fastlatent.kernels import gpu
from fastlatent.kernels.spectral import Bures, Frechet, FrechetNormal, newton_schulz, routes

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="test_device.py has the same with values")


@pytest.fixture(autouse=True)
def no_values() -> Iterator[None]:
    with FakeTensorMode(), torch.no_grad():
        yield


def on_cuda(*shape, dtype=torch.float32):
    return torch.empty(2, *shape, device="cuda", dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("n", "d", "route"), [(300, 140, "newton_schulz"), (9, 4, "newton_schulz"), (60, 140, "gram")])
def test_samples_are_computed_by_matmul(n, d, route, dtype):
    x, y = on_cuda(n, d, dtype=dtype), on_cuda(n + 1, d, dtype=dtype)
    assert f"spectral ({route}): matmul" in str(fl.explain(Frechet().compute, (x, y), (False, False)))
    for operation, inputs in ((Frechet(), (x, y)), (FrechetNormal(), (x,))):
        value, *gradients = operation.compute(inputs, (True,) * len(inputs))
        assert (value.shape, value.dtype, value.device.type) == ((2,), torch.float32, "cuda")
        assert [g.shape for g in gradients] == [z.shape for z in inputs]


def test_matrices_and_roots_are_computed_by_matmul():
    a, mean = on_cuda(9, 9), on_cuda(9)
    assert fl.bures_wasserstein(mean, a, mean, a).shape == (2,)
    assert [f.shape for f in Bures().compute((a, a), (True, True))] == [(2,), a.shape, a.shape]
    assert fl.sqrtm(a).shape == routes.LAUNCHERS["matmul"].sqrtm(a).shape == a.shape
    assert [f.shape for f in fl.sqrtm_newton_schulz(a)] == [f.shape for f in newton_schulz.roots(a, 40, None)[:2]]


@pytest.mark.parametrize(("d", "expected"), [(128, "triton"), (129, "matmul")])
def test_triton_is_selected_for_small_matrices(d, expected, monkeypatch):
    monkeypatch.setattr(gpu, "unavailable", lambda device: None)
    reasons = routes.unsupported_reasons(on_cuda(300, d), "newton_schulz", d)
    assert next(name for name, reason in reasons.items() if reason is None) == expected


@pytest.mark.parametrize(("dtype", "route"), [(torch.float64, "auto"), (torch.float32, "eigen")])
def test_eigendecompositions_fall_back_to_reference(dtype, route):
    reasons = routes.unsupported_reasons(on_cuda(9, 4, dtype=dtype), route, 4)
    assert [name for name, reason in reasons.items() if reason is None] == ["reference"]
    with fl.use_backend("matmul"), pytest.raises(ValueError, match="eigendecomposition"):
        FrechetNormal(route=route).compute((on_cuda(9, 4, dtype=dtype),), (False,))
