"""Pairwise engine against plain torch, torch.compile of it, geomloss and torchmetrics."""

import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import fastlatent
from bench.peers import losses as peers
from bench.timing import ALL_THREADS, THREADS, assert_close, measure, require, step

SHAPES = [(128, 8), (256, 64), (1024, 64), (4096, 64)]
CHECKED_POINTS = 1024  # points of a sample that are checked against float64 before timing
TUNED_ALLOCATOR = "MALLOC_MMAP_THRESHOLD_" in os.environ


def clouds(n: int, d: int) -> tuple[Tensor, Tensor]:
    """Draw latent codes that require a gradient, and a prior sample."""
    return (1.2 * torch.randn(n, d) + 0.1).requires_grad_(), torch.randn(n, d)


def check(ours: Callable[..., Tensor], *inputs: Tensor, tolerance: float = 1e-4) -> None:
    """Check the gradient with respect to x against the reference in float64."""
    few = [i.detach()[..., :CHECKED_POINTS, :] for i in inputs]
    gradients: list[Tensor] = []
    for dtype, backend in ((torch.float32, "cpu"), (torch.float64, "reference")):
        x, *others = (i.to(dtype) for i in few)
        x.requires_grad_()
        with fastlatent.use_backend(backend):
            gradients += torch.autograd.grad(ours(x, *others).sum(), x)
    assert_close(gradients[0], gradients[1], tolerance)


def pair_operations(n: int, d: int) -> float:
    """Count operations: 2d per distance and per gradient term; 6d and 2d per unordered pair in x and y, 4d across."""
    return n * (n - 1) / 2 * 8 * d + n * n * 4 * d


compiled_imq = torch.compile(peers.mmd_imq)
IMQ: dict[str, Callable[..., Tensor]] = {
    "fastlatent": fastlatent.mmd_imq,
    "torch idiom": peers.mmd_imq,
    "torch.compile of the idiom": compiled_imq,
}
TUNED = {"torch idiom, tuned allocator": peers.mmd_imq, "torch.compile, tuned allocator": compiled_imq}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("who", TUNED if TUNED_ALLOCATOR else IMQ)
def test_mmd_imq(benchmark: Any, who: str, shape: tuple[int, int], threads: int) -> None:
    if TUNED_ALLOCATOR and shape != SHAPES[-1]:
        pytest.skip("the allocator matters for the largest shape")
    x, y = clouds(*shape)
    check(fastlatent.mmd_imq, x, y)
    loss = (TUNED if TUNED_ALLOCATOR else IMQ)[who]
    measure(
        benchmark,
        step(loss, x, y),
        op="mmd_imq",
        who=who,
        shape=shape,
        threads=threads,
        operations=pair_operations(*shape),
    )


@pytest.mark.skipif(TUNED_ALLOCATOR, reason="only the rows of plain torch use a tuned allocator")
class TestOthers:
    def test_mmd_imq_large(self, benchmark: Any) -> None:
        shape = (16384, 64)
        x, y = clouds(*shape)
        check(fastlatent.mmd_imq, x, y)
        measure(
            benchmark, step(fastlatent.mmd_imq, x, y), op="mmd_imq", who="fastlatent", shape=shape,
            threads=ALL_THREADS, operations=pair_operations(*shape),
        )  # fmt: skip

    @pytest.mark.parametrize("shape", [(4096, 64), (1024, 64)], ids=str)
    @pytest.mark.parametrize("who", ["torch.mm", "fastlatent"])
    def test_rate(self, benchmark: Any, who: str, shape: tuple[int, int]) -> None:
        """Time mmd_imq and torch.mm, to compare their FLOP/s."""
        if who == "torch.mm":
            a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
            measure(
                benchmark, lambda: a @ b, op="rate of mmd_imq", who=who, shape=shape, timed="forward",
                operations=2 * 1536.0**3,
            )  # fmt: skip
            return
        x, y = clouds(*shape)
        measure(
            benchmark, step(fastlatent.mmd_imq, x, y), op="rate of mmd_imq", who=who, shape=shape,
            operations=pair_operations(*shape),
        )  # fmt: skip

    @pytest.mark.parametrize("shape", [(256, 64), (1024, 64), (4096, 64)], ids=str)
    @pytest.mark.parametrize("who", ["fastlatent", "geomloss, tensorized", "geomloss, KeOps"])
    def test_mmd_rbf(self, benchmark: Any, who: str, shape: tuple[int, int]) -> None:
        x, y = clouds(*shape)
        loss: Callable[..., Tensor] = fastlatent.mmd_rbf
        check(lambda x, y: fastlatent.mmd_rbf(x, y, bandwidths=(8.0,)), x, y)
        if who == "fastlatent":

            def loss(x: Tensor, y: Tensor) -> Tensor:
                return fastlatent.mmd_rbf(x, y, bandwidths=(8.0,))

        else:
            if who.endswith("KeOps"):
                require("pykeops")
            backend = "online" if who.endswith("KeOps") else "tensorized"
            loss = require("geomloss").SamplesLoss("gaussian", blur=8.0, backend=backend)
        measure(benchmark, step(loss, x, y), op="mmd_rbf", who=who, shape=shape)

    @pytest.mark.parametrize("shape", [(256, 64), (1024, 64), (4096, 64)], ids=str)
    @pytest.mark.parametrize("who", ["fastlatent", "torch idiom"])
    def test_energy_distance(self, benchmark: Any, who: str, shape: tuple[int, int]) -> None:
        x, y = clouds(*shape)
        check(fastlatent.energy_distance, x, y)
        loss = fastlatent.energy_distance if who == "fastlatent" else peers.energy
        measure(benchmark, step(loss, x, y), op="energy_distance", who=who, shape=shape)

    @pytest.mark.parametrize("shape", [(256, 64), (1024, 64), (4096, 64)], ids=str)
    @pytest.mark.parametrize("who", ["fastlatent", "torchmetrics"])
    def test_polynomial_mmd(self, benchmark: Any, who: str, shape: tuple[int, int]) -> None:
        x, y = clouds(*shape)
        check(fastlatent.polynomial_mmd, x, y)
        loss = fastlatent.polynomial_mmd
        if who == "torchmetrics":
            loss = require("torchmetrics.image.kid").poly_mmd
        measure(benchmark, step(loss, x, y), op="polynomial_mmd", who=who, shape=shape)

    @pytest.mark.parametrize("shape", [(256, 64), (1024, 64), (4096, 64)], ids=str)
    @pytest.mark.parametrize("who", ["fastlatent", "torch formula"])
    def test_cramer_wold_normal(self, benchmark: Any, who: str, shape: tuple[int, int]) -> None:
        x, _ = clouds(*shape)
        check(fastlatent.cramer_wold_normal, x)
        loss = fastlatent.cramer_wold_normal if who == "fastlatent" else peers.cramer_wold_normal
        measure(benchmark, step(loss, x), op="cramer_wold_normal", who=who, shape=shape)

    @pytest.mark.parametrize("threads", THREADS)
    @pytest.mark.parametrize("who", ["fastlatent", "torch cdist + min"])
    def test_chamfer_distance(self, benchmark: Any, who: str, threads: int) -> None:
        shape = (32, 2048, 2048, 3)
        x, y = torch.randn(32, 2048, 3, requires_grad=True), torch.randn(32, 2048, 3)
        check(fastlatent.chamfer_distance, x, y)
        loss = fastlatent.chamfer_distance if who == "fastlatent" else peers.chamfer
        measure(
            benchmark, step(lambda x, y: loss(x, y).sum(), x, y), op="chamfer_distance", who=who, shape=shape,
            threads=threads,
        )  # fmt: skip
