"""Sliced engine on a GPU against the SWAE idiom, torch.compile of it, POT, and the Epps–Pulley formula in torch."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

import fastlatent
from bench.bench_sliced import SHAPES, check, clouds, pot
from bench.gpu.timing import Case, Loss, installed
from bench.peers import losses as peers
from fastlatent.kernels.sliced import EppsPulley, SlicedDistance
from fastlatent.kernels.sliced.cuda import launch as cuda


def cases() -> list[Case]:
    """Return the cases of the engine."""
    return [*sliced_wasserstein(), *epps_pulley()]


def on_device(n: int, d: int) -> tuple[Tensor, Tensor]:
    """Draw latent codes that require a gradient, and a prior sample."""
    x, y = clouds(n, d)
    return x.detach().cuda().requires_grad_(), y.cuda()


def sliced_wasserstein() -> Iterator[Case]:
    """Yield sliced_wasserstein, with each backend by name."""
    for n, d, count in SHAPES:
        losses: dict[str, Loss] = {
            "fastlatent": partial(fastlatent.sliced_wasserstein, n_projections=count),
            "torch idiom, sort along the contiguous axis": partial(peers.sliced_wasserstein_rows, n_projections=count),
            "torch.compile of the idiom": partial(
                torch.compile(peers.sliced_wasserstein_rows, dynamic=False), n_projections=count
            ),
            "fastlatent, exact against N(0, I)": lambda x, _, count=count: fastlatent.sliced_wasserstein_normal(
                x, n_projections=count
            ),
        }
        for backend in ("triton", "cuda"):
            if backend == "triton" or cuda.unavailable() is None:
                losses[f"fastlatent, {backend}"] = partial(_forced, backend, count)
        if installed("ot"):
            losses["POT"] = partial(pot, n_projections=count)
        yield Case(
            "sliced_wasserstein", (n, d, count), losses, partial(on_device, n, d),
            partial(_check_sliced, n, d),
            operations=6.0 * n * d * count, traffic=12.0 * n * d, eager_only=frozenset(["POT"]),
        )  # fmt: skip


def _check_sliced(n: int, d: int) -> None:
    check(SlicedDistance(2), *on_device(n, d), backend="triton", points=n)


def _forced(backend: str, count: int, x: Tensor, y: Tensor) -> Tensor:
    with fastlatent.use_backend(backend):
        return fastlatent.sliced_wasserstein(x, y, n_projections=count)


def epps_pulley() -> Iterator[Case]:
    """Yield epps_pulley."""
    for n, d, count in SHAPES[:4]:
        losses: dict[str, Loss] = {
            "fastlatent": partial(fastlatent.epps_pulley, n_projections=count),
            "torch formula": partial(peers.epps_pulley, n_projections=count),
            "torch.compile of the formula": partial(
                torch.compile(peers.epps_pulley, dynamic=False), n_projections=count
            ),
        }
        yield Case(
            "epps_pulley", (n, d, count), losses, partial(_codes, n, d), partial(_check_epps_pulley, n, d),
            operations=4.0 * n * d * count, traffic=8.0 * n * d,
        )  # fmt: skip


def _codes(n: int, d: int) -> tuple[Tensor]:
    return on_device(n, d)[:1]


def _check_epps_pulley(n: int, d: int) -> None:
    check(EppsPulley(17, 3.0), *_codes(n, d), backend="triton", points=n)
