"""Spectral engine against plain torch, torchmetrics, POT and the formula of pytorch-fid."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.peers import spectral as peers
from bench.timing import ALL_THREADS, assert_close, measure, step
from fastlatent import (
    bures_wasserstein,
    frechet_distance,
    frechet_distance_normal,
    sqrtm,
    sqrtm_newton_schulz,
    use_backend,
)

SHAPES = [(4 * d, d) for d in (8, 16, 32, 64, 128, 256, 512, 1024)]
SOME_SHAPES = [(32, 8), (256, 64), (1024, 256), (4096, 1024)]
CLOSE = 1e-4  # the error of plain torch in float32 is 5e-6 at n = 4d

PAIR: dict[str, Callable[..., Tensor]] = {
    "fastlatent": frechet_distance,
    "torch idiom, eigvalsh": peers.eigvalsh_frechet,
    "torch idiom, 20 Newton-Schulz steps": peers.newton_schulz_frechet,
    "torchmetrics": peers.torchmetrics_frechet,
    "POT": peers.pot_frechet,
}
NORMAL: dict[str, Callable[..., Tensor]] = {
    "fastlatent": frechet_distance_normal,
    "torch idiom, eigvalsh": peers.eigvalsh_normal,
}
ROUTES = ("eigen", "newton_schulz")


def samples(n: int, d: int) -> tuple[Tensor, Tensor]:
    """Draw latent codes that require a gradient, and a prior sample."""
    torch.manual_seed(0)
    return (1.2 * torch.randn(n, d) + 0.1).requires_grad_(), torch.randn(n, d)


def gradient(loss: Callable[..., Tensor], x: Tensor, *others: Tensor) -> Tensor:
    """Compute the gradient with respect to x."""
    return torch.autograd.grad(loss(x, *others).sum(), x)[0]


@cache
def check_pair(n: int, d: int, route: str) -> None:
    """Check the gradient with respect to x against plain torch in float64."""
    x, y = samples(n, d)
    truth = gradient(peers.eigvalsh_frechet, x.detach().double().requires_grad_(), y.double())
    assert_close(gradient(lambda x, y: frechet_distance(x, y, route=route), x, y), truth, CLOSE)


@cache
def check_normal(n: int, d: int) -> None:
    """Check the gradient against the normal distribution likewise."""
    x, _ = samples(n, d)
    truth = gradient(peers.eigvalsh_normal, x.detach().double().requires_grad_())
    assert_close(gradient(frechet_distance_normal, x), truth, CLOSE)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("who", PAIR)
def test_frechet_distance(benchmark: Any, who: str, shape: tuple[int, int]) -> None:
    if shape not in SOME_SHAPES and who not in NORMAL:
        pytest.skip("the slower peers at every second shape")
    check_pair(*shape, "auto")
    measure(benchmark, step(PAIR[who], *samples(*shape)), op="frechet_distance", who=who, shape=shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("who", NORMAL)
def test_frechet_distance_normal(benchmark: Any, who: str, shape: tuple[int, int]) -> None:
    check_normal(*shape)
    x, _ = samples(*shape)
    measure(benchmark, step(NORMAL[who], x), op="frechet_distance_normal", who=who, shape=shape)


@pytest.mark.parametrize("shape", SOME_SHAPES, ids=str)
@pytest.mark.parametrize("who", NORMAL)
def test_frechet_distance_on_all_threads(benchmark: Any, who: str, shape: tuple[int, int]) -> None:
    check_pair(*shape, "auto")
    run = step(PAIR[who], *samples(*shape))
    measure(benchmark, run, op="frechet_distance", who=who, shape=shape, threads=ALL_THREADS)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("route", ROUTES)
def test_routes(benchmark: Any, route: str, shape: tuple[int, int]) -> None:
    """Time the routes by name; the choice of "auto" is based on these rows."""
    check_pair(*shape, route)
    run = step(lambda x, y: frechet_distance(x, y, route=route), *samples(*shape))
    measure(benchmark, run, op="frechet_distance by route", who=f"fastlatent, {route}", shape=shape)


@pytest.mark.parametrize("who", NORMAL)
def test_fewer_samples_than_coordinates(benchmark: Any, who: str) -> None:
    shape = (64, 1024)
    x, y = samples(*shape)
    with use_backend("reference"):
        truth = gradient(frechet_distance, x.detach().double().requires_grad_(), y.double())
    assert_close(gradient(frechet_distance, x, y), truth, CLOSE)
    measure(benchmark, step(PAIR[who], x, y), op="frechet_distance, n < d", who=who, shape=shape)


@pytest.mark.parametrize("who", ["fastlatent", "torch idiom, eigvalsh", "torchmetrics"])
def test_batch_of_covariances(benchmark: Any, who: str) -> None:
    x, y = (torch.randn(64, 256, 64) for _ in range(2))
    a, b = (z.mT @ z / 255 for z in (1.2 * x, y))
    zero = torch.zeros(64, 64)

    def ours(a: Tensor, b: Tensor) -> Tensor:
        return bures_wasserstein(zero, a, zero, b)

    losses = {
        "fastlatent": ours,
        "torch idiom, eigvalsh": peers.eigvalsh_bures,
        "torchmetrics": peers.torchmetrics_bures,
    }
    a.requires_grad_()
    truth = gradient(peers.eigvalsh_bures, a.detach().double().requires_grad_(), b.double())
    assert_close(gradient(ours, a, b), truth, CLOSE)
    run = step(lambda a, b: losses[who](a, b).sum(), a, b)
    measure(benchmark, run, op="bures_wasserstein", who=who, shape=(64, 64, 64))


@pytest.mark.parametrize("who", ["fastlatent", "pytorch-fid"])
def test_fid_of_1024_features(benchmark: Any, who: str) -> None:
    x, y = (z.detach().double() for z in samples(2048, 1024))
    means_and_covariances = x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T)
    arrays = [t.numpy() for t in means_and_covariances]
    assert_close(bures_wasserstein(*means_and_covariances), peers.eigvalsh_frechet(x, y), 1e-9)
    calls = {
        "fastlatent": lambda: bures_wasserstein(*means_and_covariances),
        "pytorch-fid": lambda: peers.pytorch_fid(*arrays),
    }
    measure(
        benchmark, calls[who], op="bures_wasserstein, one value", who=who, shape=(1024, 1024), timed="forward",
        dtype=torch.float64,
    )  # fmt: skip


@pytest.mark.parametrize("d", [64, 256, 1024])
@pytest.mark.parametrize("who", ["fastlatent", "torch idiom, eigh"])
def test_both_roots(benchmark: Any, who: str, d: int) -> None:
    x, _ = samples(4 * d, d)
    a = torch.cov(x.detach().T)

    def by_eigh(a: Tensor) -> tuple[Tensor, Tensor]:
        values, vectors = torch.linalg.eigh(a)
        roots = values.sqrt()
        return vectors * roots @ vectors.mT, vectors / roots @ vectors.mT

    root, inverse = sqrtm_newton_schulz(a)
    assert_close(root, sqrtm(a.double()), CLOSE)
    assert_close(inverse.double() @ sqrtm(a.double()), torch.eye(d), CLOSE)
    call = {"fastlatent": sqrtm_newton_schulz, "torch idiom, eigh": by_eigh}[who]
    measure(benchmark, lambda: call(a), op="sqrtm_newton_schulz", who=who, shape=(d, d), timed="forward")
