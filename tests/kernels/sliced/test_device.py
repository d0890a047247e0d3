"""The sliced engine on a CUDA device: long columns, graphs, streams, compilation, no host synchronization."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import fastlatent as fl
from fastlatent.kernels.sliced import SlicedDistance
from fastlatent.losses.directions import random_directions
from tests.kernels.harness.streams import alternate_streams, replay_graph
from tests.kernels.sliced.lattices import assert_matches_reference, axes, lattice
from tests.truth.cases import with_gradients

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("on_triton")]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("backend", ["triton", "cuda"])
@pytest.mark.parametrize("n", [1, 1000, 1024, 1025, 2049, 4097, 8193, 16385, 40000])
def test_long_columns(n: int, backend: str) -> None:
    if backend == "cuda" and (reason := _cuda_unsupported()):
        pytest.skip(reason)
    inputs = (lattice(n, 3, device="cuda"), lattice(n, 3, device="cuda"), axes(3, 3, "cuda"))
    with fl.use_backend(backend):
        assert_matches_reference(SlicedDistance(2), inputs, (True, True, False))


def _cuda_unsupported() -> str | None:
    from fastlatent.kernels.sliced.cuda import launch as cuda

    return cuda.unavailable()


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "sliced_wasserstein": lambda x, y, theta: fl.sliced_wasserstein(x, y, projections=theta),
    "sliced_wasserstein_normal": lambda x, _, theta: fl.sliced_wasserstein_normal(x, projections=theta),
    "epps_pulley": lambda x, _, theta: fl.epps_pulley(x, projections=theta),
}


@pytest.mark.parametrize("name", LOSSES)
class TestLossesOnDevice:
    @pytest.fixture
    def inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        x, y = torch.randn(2, 1000, 16, device="cuda")
        return x.requires_grad_(), y, random_directions(16, 200, device="cuda")

    def test_concurrent_streams_independent(self, name: str, inputs: tuple[Tensor, Tensor, Tensor]) -> None:
        x, *rest = inputs
        expected = with_gradients(lambda z: LOSSES[name](z, *rest), x)
        for result in alternate_streams(lambda z: LOSSES[name](z, *rest), [x], [x]):
            torch.testing.assert_close(result, expected, rtol=0, atol=0)

    def test_cuda_graph_replays_with_new_inputs(self, name: str, inputs: tuple[Tensor, Tensor, Tensor]) -> None:
        x, *rest = inputs
        torch.testing.assert_close(*replay_graph(lambda z: LOSSES[name](z, *rest), x), rtol=0, atol=0)

    def test_torch_compile_fullgraph(self, name: str, inputs: tuple[Tensor, Tensor, Tensor]) -> None:
        eager, compiled = (f(*inputs) for f in (LOSSES[name], torch.compile(LOSSES[name], fullgraph=True)))
        torch.testing.assert_close(compiled, eager)
        torch.testing.assert_close(*(torch.autograd.grad(v, inputs[0])[0] for v in (compiled, eager)))

    def test_no_host_sync(self, name: str, inputs: tuple[Tensor, Tensor, Tensor]) -> None:
        LOSSES[name](*inputs)  # compiles the kernels and fills the caches
        torch.cuda.set_sync_debug_mode("error")
        try:
            LOSSES[name](*inputs).backward()
        finally:
            torch.cuda.set_sync_debug_mode("default")

    def test_second_derivatives_match_reference(self, name: str, inputs: tuple[Tensor, Tensor, Tensor]) -> None:
        x, y, theta = inputs
        second = []
        for backend in ("triton", "reference"):
            with fl.use_backend(backend):
                (first,) = torch.autograd.grad(LOSSES[name](x, y, theta), x, create_graph=True)
            second.append(torch.autograd.grad(first.square().sum(), x)[0])
        assert (second[0] - second[1]).norm() <= 1e-4 * second[1].norm()  # float32 may order near ties differently
