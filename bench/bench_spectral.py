"""Fréchet distances against what people use today: float32, forward and backward to x, n = 4d, one thread."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fastlatent import bures_wasserstein, frechet_distance, frechet_distance_normal, sqrtm_newton_schulz

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "losses"))
import frechet_truth as truth  # the references that the tests compare with

CLOSE = 1e-3  # relative: float32 of every peer at n = 4d


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def torchmetrics_frechet(x: Tensor, y: Tensor) -> Tensor:
    image = pytest.importorskip("torchmetrics.image.fid")
    return image._compute_fid(x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T))


def pot_frechet(x: Tensor, y: Tensor) -> Tensor:
    ot = pytest.importorskip("ot")
    return ot.gaussian.bures_wasserstein_distance(x.mean(0), y.mean(0), torch.cov(x.T), torch.cov(y.T)) ** 2


def newton_schulz_20(x: Tensor, y: Tensor) -> Tensor:
    """The cubic iteration on Σ₁Σ₂ that training code often unrolls: 20 steps through autograd."""
    a, b = torch.cov(x.T), torch.cov(y.T)
    product = a @ b
    scale = torch.linalg.matrix_norm(product)
    identity = torch.eye(len(a))
    root, inverse = product / scale, identity
    for _ in range(20):
        step = (3 * identity - inverse @ root) / 2
        root, inverse = root @ step, step @ inverse
    trace = root.trace() * scale.sqrt()
    return (x.mean(0) - y.mean(0)).square().sum() + a.trace() + b.trace() - 2 * trace


PAIR = {
    "fastlatent": frechet_distance,
    "eigvalsh idiom": truth.eigvalsh_idiom,
    "torchmetrics": torchmetrics_frechet,
    "POT": pot_frechet,
    "Newton-Schulz, 20 steps": newton_schulz_20,
}
NORMAL = {"fastlatent": frechet_distance_normal, "eigvalsh idiom": truth.eigvalsh_normal}
SHAPES = [(32, 8), (64, 16), (128, 32), (256, 64), (512, 128), (1024, 256), (2048, 512), (4096, 1024)]


def samples(n: int, d: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, d, generator=generator), 1.2 * torch.randn(n, d, generator=generator) + 0.1


def measure(benchmark, loss: Callable[..., Tensor], expected: float, x: Tensor, *others: Tensor, **row: object) -> None:
    """Time value and gradient to x, after checking the value."""
    x = x.clone().requires_grad_()

    def step() -> Tensor:
        return torch.autograd.grad(loss(x, *others).sum(), x)[0]

    found = float(loss(x, *others).detach().sum())
    assert abs(found - expected) <= CLOSE * abs(expected)
    benchmark.extra_info.update(row, timed="forward+backward", dtype="float32", threads=torch.get_num_threads())
    benchmark(step)


@pytest.mark.parametrize("peer", PAIR)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_two_samples(benchmark, n, d, peer):
    benchmark.group = f"frechet_distance ({n}, {d})"
    x, y = samples(n, d)
    measure(benchmark, PAIR[peer], truth.frechet(x, y), x, y, op="frechet_distance", peer=peer, n=n, d=d)


@pytest.mark.parametrize("peer", NORMAL)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_against_the_normal(benchmark, n, d, peer):
    benchmark.group = f"frechet_distance_normal ({n}, {d})"
    x, _ = samples(n, d)
    expected = float(truth.eigvalsh_normal(x.double()))
    measure(benchmark, NORMAL[peer], expected, x, op="frechet_distance_normal", peer=peer, n=n, d=d)


@pytest.mark.parametrize("peer", ["fastlatent", "eigvalsh idiom"])
def test_fewer_samples_than_coordinates(benchmark, peer):
    benchmark.group = "frechet_distance (64, 1024)"
    x, y = samples(64, 1024)
    measure(benchmark, PAIR[peer], truth.frechet(x, y), x, y, op="frechet_distance", peer=peer, n=64, d=1024)


@pytest.mark.parametrize("peer", ["fastlatent", "eigvalsh idiom"])
def test_batch_of_covariances(benchmark, peer):
    benchmark.group = "bures, 64 × (64, 64)"
    x, y = (z.reshape(64, 256, 64) for z in samples(64 * 256, 64))
    a, b = (z.mT @ z / 255 for z in (x, y))
    zero = torch.zeros(64, 64)
    losses = {
        "fastlatent": lambda a, b: bures_wasserstein(zero, a, zero, b),
        "eigvalsh idiom": truth.eigvalsh_bures,
    }
    expected = float(truth.eigvalsh_bures(a.double(), b.double()).sum())
    measure(benchmark, losses[peer], expected, a, b, op="bures_wasserstein", peer=peer, batch=64, d=64)


@pytest.mark.parametrize("peer", ["fastlatent", "pytorch-fid"])
def test_fid_of_1024_features(benchmark, peer):
    benchmark.group = "FID, d = 1024, value only, float64"
    a, b = (truth.covariance(1024, 100, seed) for seed in (0, 1))
    zero = torch.zeros(1024, dtype=torch.float64)
    arrays = [t.numpy() for t in (zero, a, zero, b)]
    calls = {
        "fastlatent": lambda: bures_wasserstein(zero, a, zero, b).item(),
        "pytorch-fid": lambda: truth.pytorch_fid(*arrays),
    }
    expected = truth.bures(arrays[1], arrays[3])
    assert abs(calls[peer]() - expected) <= 1e-9 * expected
    benchmark.extra_info.update(op="bures_wasserstein", peer=peer, d=1024, timed="forward", dtype="float64")
    benchmark.pedantic(calls[peer], rounds=3)


@pytest.mark.parametrize("d", [64, 512])
@pytest.mark.parametrize("route", ["sqrtm_newton_schulz", "eigh"])
def test_both_roots(benchmark, route, d):
    benchmark.group = f"A^(1/2) and A^(-1/2), d = {d}"
    a = truth.covariance(d, 100).float()

    def by_eigh(a: Tensor) -> tuple[Tensor, Tensor]:
        values, vectors = torch.linalg.eigh(a)
        roots = values.sqrt()
        return vectors * roots @ vectors.mT, vectors / roots @ vectors.mT

    call = {"sqrtm_newton_schulz": sqrtm_newton_schulz, "eigh": by_eigh}[route]
    for found, expected in zip(call(a), by_eigh(a.double()), strict=True):
        torch.testing.assert_close(found.double(), expected, rtol=CLOSE, atol=CLOSE)
    benchmark.extra_info.update(op="sqrtm_newton_schulz", peer=route, d=d, timed="forward", dtype="float32")
    benchmark(call, a)
