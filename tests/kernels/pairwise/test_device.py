"""The pairwise engine on a CUDA device: in a training step, in graphs, on streams, compiled; large and small."""

import pytest
import torch
from hypothesis import given, settings

import fastlatent as fl
from tests.kernels.harness.streams import on_two_streams, replayed
from tests.truth.cases import CASES, CHAMFER, CRAMER_WOLD, MMDS, leaves, with_gradients
from tests.truth.clouds import Clouds, clouds
from tests.truth.errors import errors_are_small

pytestmark = pytest.mark.gpu

FEW = [*MMDS[::6], *CRAMER_WOLD, *CHAMFER]
cases = pytest.mark.parametrize("case", CASES, ids=str)
few = pytest.mark.parametrize("case", FEW, ids=str)


BITS = {"rtol": 0, "atol": 0}


def draw(case, n=700, m=500, d=20, dtype=torch.float32):
    return [z.to("cuda") for z in Clouds(n, m, d).draw(dtype)[: case.samples]]


@cases
@given(drawn=clouds())
@settings(max_examples=10, deadline=None)
def test_error_is_at_most_twice_that_of_plain_pytorch(case, drawn):
    errors_are_small(case, drawn, ("triton",), "cuda")


@few
@pytest.mark.parametrize("d", [3, 64, 200, 1024])
def test_many_points_in_many_dimensions(case, d):
    errors_are_small(case, Clouds(3000, 2049, d, duplicates=True), ("triton",), "cuda", draws=1)


@cases
def test_triton_is_chosen(case):
    assert {d.backend for d in fl.explain(case.loss, *draw(case)).decisions} == {"triton"}


def test_float64_is_left_to_the_reference():
    explained = fl.explain(fl.mmd_imq, *draw(CASES[0], dtype=torch.float64))
    assert "pairwise: reference" in str(explained)
    assert "not triton: it computes in float32" in str(explained)


@cases
def test_the_same_bits_every_time(case):
    inputs = draw(case, n=3000, m=2000)
    first, second = (with_gradients(case, *inputs) for _ in range(2))
    torch.testing.assert_close(first, second, **BITS)


@cases
def test_the_host_never_waits(case):
    inputs = draw(case)
    with_gradients(case, *inputs)  # compiles
    torch.cuda.set_sync_debug_mode("error")
    try:
        with_gradients(case, *inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@cases
def test_captured_in_a_graph_it_follows_its_inputs(case):
    torch.testing.assert_close(*replayed(case, *draw(case)), **BITS)


@few
def test_two_streams_do_not_meet(case):
    sets = [draw(case), [z + 1 for z in draw(case)]]
    expected = [with_gradients(case, *inputs) for inputs in sets]
    for k, result in enumerate(on_two_streams(case, *sets)):
        torch.testing.assert_close(result, expected[k % 2], **BITS)


@few
def test_compiled_as_one_graph_it_is_the_same(case):
    torch._dynamo.reset()
    inputs = draw(case)
    compiled = torch.compile(case.loss, fullgraph=True)
    torch.testing.assert_close(with_gradients(compiled, *inputs), with_gradients(case, *inputs))


@few
def test_second_derivatives_are_the_references(case):
    inputs = draw(case, n=12, m=9, d=4)
    found = []
    for backend in ("triton", "reference"):
        with fl.use_backend(backend):
            x, *rest = leaves(*inputs)
            (of_x,) = torch.autograd.grad(case(x, *rest), x, create_graph=True)
            found.append(torch.autograd.grad(of_x.square().sum(), x)[0])
    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-5)


@few
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("d", [3, 64, 300])
def test_half_precision_against_the_same_numbers_in_float64(case, dtype, d):
    inputs = draw(case, d=d, dtype=dtype)
    exact = case.exact(*inputs)
    value, *gradients = with_gradients(case, *inputs)
    assert abs(value.item() - exact.value) < 1e-5 * exact.terms
    for found, truth in zip(gradients, exact.gradients, strict=True):
        truth = torch.from_numpy(truth)
        assert (found.double().cpu() - truth).norm() < 2 * torch.finfo(dtype).eps * truth.norm()


def test_memory_is_that_of_the_points():
    x, y = leaves(*draw(CASES[0], n=16384, m=16384, d=64))
    fl.mmd_imq(x, y).backward()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    fl.mmd_imq(x, y).backward()
    assert torch.cuda.max_memory_allocated() - before < 100e6


def test_tensors_on_another_device_than_the_current_one():
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    x, y = draw(CASES[0])
    expected = fl.mmd_imq(x, y)
    torch.testing.assert_close(fl.mmd_imq(x.to("cuda:1"), y.to("cuda:1")).to("cuda:0"), expected)
