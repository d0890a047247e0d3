"""Pairwise engine on a GPU against plain torch, torch.compile of it, geomloss and torchmetrics."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

import fastlatent
from bench.bench_pairwise import CHECKED_POINTS, pair_operations
from bench.gpu.timing import Case, Loss, installed
from bench.peers import losses as peers
from bench.timing import assert_close

SHAPES = [(256, 64), (1024, 64), (4096, 64), (16384, 64)]
BANDWIDTH = 8.0


def cases() -> list[Case]:
    """Return the cases of the engine."""
    return [*mmd_imq(), million(), *mmd_rbf(), *others(), chamfer()]


def clouds(n: int, d: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Draw latent codes that require a gradient, and a prior sample."""
    x, y = (torch.randn(n, d, device="cuda") for _ in range(2))
    return (1.2 * x + 0.1).to(dtype).requires_grad_(), y.to(dtype)


def gradient_check(ours: Loss, draw: Callable[[], tuple[Tensor, ...]], tolerance: float = 1e-4) -> Callable[[], None]:
    """Return a check of the gradient with respect to x against the reference in float64."""

    def check() -> None:
        few = [i.detach()[..., :CHECKED_POINTS, :] for i in draw()]
        gradients: list[Tensor] = []
        for dtype, backend in ((few[0].dtype, "triton"), (torch.float64, "reference")):
            x, *others = (i.to(dtype) for i in few)
            x.requires_grad_()
            with fastlatent.use_backend(backend):
                gradients += torch.autograd.grad(ours(x, *others).sum(), x)
        assert_close(gradients[0], gradients[1], tolerance)

    return check


def mmd_imq() -> Iterator[Case]:
    """Yield mmd_imq in float32 and bfloat16."""
    for shape in SHAPES:
        yield Case(
            "mmd_imq", shape, {
                "fastlatent": fastlatent.mmd_imq,
                "torch idiom": peers.mmd_imq,
                "torch.compile of the idiom": torch.compile(peers.mmd_imq, dynamic=False),
            },
            partial(clouds, *shape), gradient_check(fastlatent.mmd_imq, partial(clouds, *shape)),
            operations=pair_operations(*shape),
        )  # fmt: skip
        half = partial(clouds, *shape, torch.bfloat16)
        yield Case(
            "mmd_imq", shape, {"fastlatent": fastlatent.mmd_imq, "torch idiom": peers.mmd_imq}, half,
            gradient_check(fastlatent.mmd_imq, half, tolerance=1e-2), operations=pair_operations(*shape),
        )  # fmt: skip


def million() -> Case:
    """Return the exact value of a million points against a million; n×m distances would not fit in memory."""

    def draw() -> tuple[Tensor, ...]:
        return tuple(z.detach() for z in clouds(2**20, 64))

    return Case(
        "mmd_imq, value only", (2**20, 64), {"fastlatent": fastlatent.mmd_imq}, draw,
        gradient_check(fastlatent.mmd_imq, partial(clouds, 4096, 64)), operations=2 * 64 * 2.0 * 2**40, timed="forward",
        eager_only=frozenset(["fastlatent"]),
    )  # fmt: skip


def mmd_rbf() -> Iterator[Case]:
    """Yield mmd_rbf against geomloss."""
    ours = partial(fastlatent.mmd_rbf, bandwidths=(BANDWIDTH,))
    for shape in SHAPES:
        losses: dict[str, Loss] = {"fastlatent": ours}
        if geomloss := installed("geomloss"):
            losses["geomloss, tensorized"] = geomloss.SamplesLoss("gaussian", blur=BANDWIDTH, backend="tensorized")
            if installed("pykeops"):
                losses["geomloss, KeOps"] = geomloss.SamplesLoss("gaussian", blur=BANDWIDTH, backend="online")
        yield Case(
            "mmd_rbf", shape, losses, partial(clouds, *shape), gradient_check(ours, partial(clouds, *shape)),
            operations=pair_operations(*shape), eager_only=frozenset(losses) - {"fastlatent"},
        )  # fmt: skip


def others() -> Iterator[Case]:
    """Yield energy_distance, polynomial_mmd and cramer_wold_normal."""
    for shape in SHAPES:
        draw = partial(clouds, *shape)
        for ours, plain in ((fastlatent.energy_distance, peers.energy), (fastlatent.polynomial_mmd, None)):
            losses: dict[str, Loss] = {"fastlatent": ours}
            if plain:
                losses["torch idiom"] = plain
            elif kid := installed("torchmetrics.image.kid"):
                losses["torchmetrics"] = kid.poly_mmd
            yield Case(
                ours.__name__, shape, losses, draw, gradient_check(ours, draw, tolerance=1e-3),
                operations=pair_operations(*shape), eager_only=frozenset(["torchmetrics"]),
            )  # fmt: skip
        yield Case(
            "cramer_wold_normal", shape, {
                "fastlatent": lambda x, _: fastlatent.cramer_wold_normal(x),
                "torch formula": lambda x, _: peers.cramer_wold_normal(x),
            },
            draw, gradient_check(lambda x, _: fastlatent.cramer_wold_normal(x), draw),
        )  # fmt: skip


def chamfer() -> Case:
    """Return chamfer_distance of 32 clouds of 2048 points."""
    shape = (32, 2048, 2048, 3)

    def draw() -> tuple[Tensor, Tensor]:
        return torch.randn(32, 2048, 3, device="cuda", requires_grad=True), torch.randn(32, 2048, 3, device="cuda")

    losses = {"fastlatent": fastlatent.chamfer_distance, "torch cdist + min": peers.chamfer}
    return Case("chamfer_distance", shape, losses, draw, gradient_check(fastlatent.chamfer_distance, draw))
