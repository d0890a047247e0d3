"""The spectral engine on a CUDA device: accuracy, CUDA graphs, streams, torch.compile, no host synchronization."""

from functools import partial

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels.spectral import reference
from tests.kernels.harness.streams import alternate_streams, replay_graph
from tests.truth import spectral as truth
from tests.truth.cases import leaves, with_gradients
from tests.truth.spectral import conditioned_sample, errors, sample

pytestmark = pytest.mark.gpu

PAIR = (fl.frechet_distance, partial(reference.frechet, eps=0.0))
NORMAL = (fl.frechet_distance_normal, partial(reference.frechet_normal, eps=0.0))
SHAPES = [(256, 64), (600, 128), (1024, 256), (64, 300)]  # Triton, its largest d, matmul, Gram side
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)
both = pytest.mark.parametrize("losses", [PAIR, NORMAL], ids=["pair", "normal"])


def draw(losses, shape, dtype=torch.float32):
    n, d = shape
    samples = sample(n, d, shift=0.5), sample(n + 9, d, seed=1, scale=1.5)
    return [x.to("cuda", dtype) for x in samples[: 1 + (losses is PAIR)]]


@both
@pytest.mark.parametrize("d", [1, 8, 16, 17, 33, 64, 65, 128, 129, 300])
@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e6])
def test_error_is_bounded_by_condition_number(losses, d, condition):
    x, y = (conditioned_sample(k * d, d, condition, seed).cuda() for k, seed in ((4, 0), (3, 2)))
    value_error, gradient_error = errors(*losses, *((x, y) if losses is PAIR else (x,)))
    assert value_error <= 2e-6
    assert gradient_error <= 1e-5 + 1e-8 * condition


@both
@shapes
def test_fastest_backend_is_selected(losses, shape):
    (decision,) = fl.explain(losses[0], *draw(losses, shape)).decisions
    small = min(shape) <= 128
    assert decision.backend == (("triton+matmul" if shape[0] <= shape[1] else "triton") if small else "matmul")


@both
@shapes
def test_matmul_backend_matches_default(losses, shape):
    inputs = draw(losses, shape)
    with fl.use_backend("matmul"):
        result = with_gradients(losses[0], *inputs)
    torch.testing.assert_close(result, with_gradients(losses[0], *inputs), rtol=1e-5, atol=1e-5)


@both
@shapes
def test_deterministic(losses, shape):
    inputs = draw(losses, shape)
    first, second = (with_gradients(losses[0], *inputs) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@both
@shapes
def test_no_host_sync(losses, shape):
    inputs = draw(losses, shape)
    with_gradients(losses[0], *inputs)  # compiles
    torch.cuda.set_sync_debug_mode("error")
    try:
        with_gradients(losses[0], *inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("root", [fl.sqrtm, lambda a: fl.sqrtm_newton_schulz(a)[0]], ids=["sqrtm", "newton_schulz"])
def test_no_host_sync_for_roots(root):
    a = torch.stack([truth.covariance(64, c, 3) for c in (1.0, 1e3)]).float().cuda()
    expected, expected_gradient = (f.cuda() for f in (reference.sqrtm(a.double()), torch.eye(64)))
    for mode in ("default", "error"):
        torch.cuda.set_sync_debug_mode(mode)
        try:
            result, gradient = with_gradients(root, a)[0], with_gradients(lambda a: root(a).square().sum(), a)[1]
        finally:
            torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(result.double(), expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(gradient, expected_gradient.expand_as(a), rtol=0, atol=2e-2)


@both
@shapes
def test_cuda_graph_replays_with_new_inputs(losses, shape):
    torch.testing.assert_close(*replay_graph(losses[0], *draw(losses, shape)), rtol=0, atol=0)


@both
@shapes
def test_concurrent_streams_independent(losses, shape):
    sets = [draw(losses, shape), [2 * z + 1 for z in draw(losses, shape)]]
    expected = [with_gradients(losses[0], *inputs) for inputs in sets]
    for k, result in enumerate(alternate_streams(losses[0], *sets)):
        torch.testing.assert_close(result, expected[k % 2], rtol=0, atol=0)


@both
def test_torch_compile_fullgraph(losses):
    torch._dynamo.reset()
    inputs = draw(losses, SHAPES[0])
    compiled = torch.compile(losses[0], fullgraph=True)
    torch.testing.assert_close(with_gradients(compiled, *inputs), with_gradients(losses[0], *inputs))


@both
@shapes
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_matches_float64(losses, shape, dtype):
    inputs = draw(losses, shape, dtype)
    value, *gradients = with_gradients(losses[0], *inputs)
    expected, *exact = with_gradients(losses[1], *(x.double() for x in inputs))
    torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-5)
    for gradient, truth_gradient in zip(gradients, exact, strict=True):
        assert (gradient - truth_gradient).norm() <= 2 * torch.finfo(dtype).eps * truth_gradient.norm()


@both
def test_second_derivatives_match_reference(losses):
    results = []
    for dtype, loss in ((torch.float32, losses[0]), (torch.float64, losses[1])):
        x, *rest = leaves(*(z.to(dtype) for z in draw(losses, (12, 4))))
        (gradient,) = torch.autograd.grad(loss(x, *rest), x, create_graph=True)
        results.append(torch.autograd.grad(gradient.square().sum(), x)[0].double())
    torch.testing.assert_close(*results, rtol=1e-3, atol=1e-5)


def test_float64_falls_back_to_reference():
    assert "reference" in str(fl.explain(fl.frechet_distance_normal, sample(40, 8).cuda()))


def test_tensors_on_noncurrent_device():
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    x, y = draw(PAIR, (256, 64))
    torch.testing.assert_close(
        fl.frechet_distance(x.to("cuda:1"), y.to("cuda:1")).cpu(), fl.frechet_distance(x, y).cpu()
    )
