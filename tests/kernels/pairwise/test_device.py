"""The pairwise engine on a CUDA device: accuracy, CUDA graphs, streams, torch.compile, no host synchronization."""

import pytest
import torch
from hypothesis import given, settings

import fastlatent as fl
from tests.kernels.harness.streams import alternate_streams, replay_graph
from tests.truth.cases import CASES, CHAMFER, CRAMER_WOLD, MMDS, leaves, with_gradients
from tests.truth.clouds import Clouds, clouds
from tests.truth.errors import assert_errors_small

pytestmark = pytest.mark.gpu

FEW = [*MMDS[::6], *CRAMER_WOLD, *CHAMFER]
cases = pytest.mark.parametrize("case", CASES, ids=str)
few = pytest.mark.parametrize("case", FEW, ids=str)


BITS = {"rtol": 0, "atol": 0}


def draw(case, n=700, m=500, d=20, dtype=torch.float32):
    return [z.to("cuda") for z in Clouds(n, m, d).draw(dtype)[: case.samples]]


@cases
@given(points=clouds())
@settings(max_examples=10, deadline=None)
def test_error_at_most_twice_that_of_pytorch(case, points):
    assert_errors_small(case, points, ("triton",), "cuda")


@few
@pytest.mark.parametrize("d", [3, 64, 200, 1024])
def test_error_at_most_twice_that_of_pytorch_for_large_samples(case, d):
    assert_errors_small(case, Clouds(3000, 2049, d, duplicates=True), ("triton",), "cuda", draws=1)


@cases
def test_triton_is_selected(case):
    assert {d.backend for d in fl.explain(case.loss, *draw(case)).decisions} == {"triton"}


def test_float64_falls_back_to_reference():
    explanation = fl.explain(fl.mmd_imq, *draw(CASES[0], dtype=torch.float64))
    assert "pairwise: reference" in str(explanation)
    assert "not triton: it computes in float32" in str(explanation)


@cases
def test_deterministic(case):
    inputs = draw(case, n=3000, m=2000)
    first, second = (with_gradients(case, *inputs) for _ in range(2))
    torch.testing.assert_close(first, second, **BITS)


@cases
def test_no_host_sync(case):
    inputs = draw(case)
    with_gradients(case, *inputs)  # compiles
    torch.cuda.set_sync_debug_mode("error")
    try:
        with_gradients(case, *inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@cases
def test_cuda_graph_replays_with_new_inputs(case):
    torch.testing.assert_close(*replay_graph(case, *draw(case)), **BITS)


@few
def test_concurrent_streams_independent(case):
    sets = [draw(case), [z + 1 for z in draw(case)]]
    expected = [with_gradients(case, *inputs) for inputs in sets]
    for k, result in enumerate(alternate_streams(case, *sets)):
        torch.testing.assert_close(result, expected[k % 2], **BITS)


@few
def test_torch_compile_fullgraph(case):
    torch._dynamo.reset()
    inputs = draw(case)
    compiled = torch.compile(case.loss, fullgraph=True)
    torch.testing.assert_close(with_gradients(compiled, *inputs), with_gradients(case, *inputs))


@few
def test_second_derivatives_match_reference(case):
    inputs = draw(case, n=12, m=9, d=4)
    results = []
    for backend in ("triton", "reference"):
        with fl.use_backend(backend):
            x, *rest = leaves(*inputs)
            (gradient,) = torch.autograd.grad(case(x, *rest), x, create_graph=True)
            results.append(torch.autograd.grad(gradient.square().sum(), x)[0])
    torch.testing.assert_close(*results, rtol=1e-3, atol=1e-5)


@few
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("d", [3, 64, 300])
def test_half_precision_matches_float64(case, dtype, d):
    inputs = draw(case, d=d, dtype=dtype)
    exact = case.exact(*inputs)
    value, *gradients = with_gradients(case, *inputs)
    assert abs(value.item() - exact.value) < 1e-5 * exact.terms
    for gradient, truth in zip(gradients, exact.gradients, strict=True):
        truth = torch.from_numpy(truth)
        assert (gradient.double().cpu() - truth).norm() < 2 * torch.finfo(dtype).eps * truth.norm()


def test_memory_is_linear_in_points():
    x, y = leaves(*draw(CASES[0], n=16384, m=16384, d=64))
    fl.mmd_imq(x, y).backward()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    fl.mmd_imq(x, y).backward()
    assert torch.cuda.max_memory_allocated() - before < 100e6


def test_tensors_on_noncurrent_device():
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    x, y = draw(CASES[0])
    expected = fl.mmd_imq(x, y)
    torch.testing.assert_close(fl.mmd_imq(x.to("cuda:1"), y.to("cuda:1")).to("cuda:0"), expected)
