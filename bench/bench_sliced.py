"""Sliced engine against the SWAE idiom, its torch.compile, POT, and the Epps–Pulley formula in torch."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import fastlatent
from bench.peers import losses as peers
from bench.timing import THREADS, assert_close, measure, require, step
from fastlatent.kernels.sliced import EppsPulley, SlicedDistance

# (n, d, L): points, dimension, directions.
SHAPES = [(128, 8, 50), (256, 64, 128), (1024, 64, 512), (8192, 64, 512), (65536, 64, 128)]
CHECKED_POINTS = 2048  # points of a sample that are checked against float64 before timing
CHECKED_DIRECTIONS = 16

Loss = Callable[..., Tensor]


def pot(x: Tensor, y: Tensor, n_projections: int) -> Tensor:
    """Compute the distance of POT."""
    return require("ot").sliced_wasserstein_distance(x, y, n_projections=n_projections)


SLICED: dict[str, Loss] = {
    "fastlatent": lambda x, y, count: fastlatent.sliced_wasserstein(x, y, n_projections=count),
    "SWAE idiom, sort along the contiguous axis": peers.sliced_wasserstein_rows,
    "SWAE idiom, sort along the other axis": peers.sliced_wasserstein_columns,
    "torch.compile of the idiom": torch.compile(peers.sliced_wasserstein_rows, dynamic=False),
    "POT": pot,
    "fastlatent, exact against N(0, I)": lambda x, _, count: fastlatent.sliced_wasserstein_normal(
        x, n_projections=count
    ),
}
EPPS_PULLEY: dict[str, Loss] = {
    "fastlatent": lambda x, count: fastlatent.epps_pulley(x, n_projections=count),
    "torch formula": peers.epps_pulley,
    "torch.compile of the formula": torch.compile(peers.epps_pulley, dynamic=False),
}


def check(operation: Loss, *samples: Tensor, backend: str = "cpu", points: int = CHECKED_POINTS) -> None:
    """Check value and gradient with respect to x against the reference in float64, on points exact in float32.

    Then both sort the points in the same order; where rounding decides near ties, gradients differ by the gaps of y.
    """
    few = [(64 * s.detach()[:points]).round() / 64 for s in samples]
    d = few[0].shape[1]
    theta = torch.randn(d, CHECKED_DIRECTIONS, device=few[0].device).sign() / 2 ** round(math.log2(d) / 2)
    results = []
    for dtype, who in ((torch.float32, backend), (torch.float64, "reference")):
        x, *others = (s.to(dtype) for s in few)
        x.requires_grad_()
        with fastlatent.use_backend(who):
            value = operation(x, *others, theta.to(dtype))
        results.append((value, torch.autograd.grad(value, x)[0]))
    for ours, truth in zip(*results, strict=True):
        assert_close(ours, truth, tolerance=1e-4)


def clouds(n: int, d: int) -> tuple[Tensor, Tensor]:
    """Draw latent codes that require a gradient, and a prior sample."""
    return (1.2 * torch.randn(n, d) + 0.1).requires_grad_(), torch.randn(n, d)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("who", SLICED)
def test_sliced_wasserstein(benchmark: Any, who: str, shape: tuple[int, int, int], threads: int) -> None:
    n, d, count = shape
    x, y = clouds(n, d)
    check(SlicedDistance(2), x, y)
    loss = SLICED[who]
    measure(
        benchmark, step(lambda x, y: loss(x, y, count), x, y), op="sliced_wasserstein", who=who, shape=shape,
        threads=threads,
    )  # fmt: skip


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("shape", SHAPES[:3], ids=str)
@pytest.mark.parametrize("who", EPPS_PULLEY)
def test_epps_pulley(benchmark: Any, who: str, shape: tuple[int, int, int], threads: int) -> None:
    n, d, count = shape
    x, _ = clouds(n, d)
    check(EppsPulley(17, 3.0), x)
    loss = EPPS_PULLEY[who]
    measure(
        benchmark, step(lambda x: loss(x, count), x), op="epps_pulley", who=who, shape=shape, threads=threads
    )  # fmt: skip
