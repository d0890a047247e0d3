"""Spectral engine on a GPU against eigendecompositions in plain torch, torchmetrics and an unrolled Newton–Schulz."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

import fastlatent
from bench.gpu.timing import Case, Loss, installed
from bench.peers import spectral as peers
from bench.timing import assert_close

SHAPES = [(256, 64), (1024, 256), (4096, 1024)]
INCEPTION = (8192, 2048)  # images, features
CLOSE = 1e-4
# An eigendecomposition synchronizes with the host.
EAGER_ONLY = frozenset(["torch idiom, eigvalsh", "torchmetrics", "torch.linalg.eigh"])


def cases() -> list[Case]:
    """Return the cases of the engine."""
    return [*normal(), *pair(), few_samples(), roots(), covariances(), inception()]


def samples(count: int, n: int, d: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    """Draw latent codes that require a gradient and, if count is 2, a prior sample."""
    x = (1.2 * torch.randn(n, d, device="cuda") + 0.1).to(dtype).requires_grad_()
    return (x, torch.randn(n, d, device="cuda").to(dtype))[:count]


def definite(batch: int, d: int) -> Tensor:
    """Draw covariances of 4d points."""
    x = torch.randn(batch, 4 * d, d, device="cuda")
    return x.mT @ x / (4 * d)


def gradient_check(ours: Loss, draw: Callable[[], tuple[Tensor, ...]], tolerance: float = CLOSE) -> Callable[[], None]:
    """Return a check of the gradient against float64, which runs on the reference."""

    def check() -> None:
        inputs = [i.detach() for i in draw()]
        gradients: list[Tensor] = []
        for x, *others in (inputs, [i.double() for i in inputs]):
            x.requires_grad_()
            gradients += torch.autograd.grad(ours(x, *others).sum(), x)
        assert_close(gradients[0], gradients[1], tolerance)

    return check


def normal() -> Iterator[Case]:
    """Yield frechet_distance_normal in float32 and bfloat16."""
    ours = fastlatent.frechet_distance_normal
    for shape in SHAPES:
        draw = partial(samples, 1, *shape)
        losses = {"fastlatent": ours, "torch idiom, eigvalsh": peers.eigvalsh_normal}
        yield Case("frechet_distance_normal", shape, losses, draw, gradient_check(ours, draw), eager_only=EAGER_ONLY)
        half = partial(samples, 1, *shape, torch.bfloat16)
        yield Case(
            "frechet_distance_normal", shape, {"fastlatent": ours}, half, gradient_check(ours, half, tolerance=1e-2)
        )


def pair() -> Iterator[Case]:
    """Yield frechet_distance."""
    ours = fastlatent.frechet_distance
    for shape in SHAPES:
        draw = partial(samples, 2, *shape)
        losses: dict[str, Loss] = {
            "fastlatent": ours,
            "torch idiom, eigvalsh": peers.eigvalsh_frechet,
            "torch idiom, 20 Newton-Schulz steps": peers.newton_schulz_frechet,
            "torch.compile of 20 steps": torch.compile(peers.newton_schulz_frechet, dynamic=False),
        }
        yield Case("frechet_distance", shape, losses, draw, gradient_check(ours, draw), eager_only=EAGER_ONLY)


def few_samples() -> Case:
    """Return frechet_distance by the route "gram"."""
    shape, ours = (64, 1024), fastlatent.frechet_distance
    draw = partial(samples, 2, *shape)
    losses = {"fastlatent": ours, "torch idiom, eigvalsh": peers.eigvalsh_frechet}
    return Case("frechet_distance, n < d", shape, losses, draw, gradient_check(ours, draw), eager_only=EAGER_ONLY)


def roots() -> Case:
    """Return values of sqrtm; the gradient of a root by eigh is undefined at repeated eigenvalues."""

    def by_eigh(a: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(a)
        return vectors * values.clamp(min=0).sqrt().unsqueeze(-2) @ vectors.mT

    def check() -> None:
        a = definite(64, 64)
        root = fastlatent.sqrtm(a)
        assert_close(root @ root, a, CLOSE)

    losses = {"fastlatent": fastlatent.sqrtm, "torch.linalg.eigh": by_eigh}
    return Case(
        "sqrtm", (64, 64, 64), losses, lambda: (definite(64, 64),), check, timed="forward", eager_only=EAGER_ONLY
    )


def covariances() -> Case:
    """Return bures_wasserstein of a batch."""

    def ours(a: Tensor, b: Tensor) -> Tensor:
        zero = a.new_zeros(a.shape[:-1])
        return fastlatent.bures_wasserstein(zero, a, zero, b)

    def draw() -> tuple[Tensor, ...]:
        return definite(64, 64).requires_grad_(), definite(64, 64)

    losses = {"fastlatent": ours, "torch idiom, eigvalsh": peers.eigvalsh_bures}
    return Case("bures_wasserstein", (64, 64, 64), losses, draw, gradient_check(ours, draw), eager_only=EAGER_ONLY)


def inception() -> Case:
    """Return the value of frechet_distance from Inception features, the last step of FID."""

    def draw() -> tuple[Tensor, ...]:
        return torch.randn(*INCEPTION, device="cuda"), 1.1 * torch.randn(*INCEPTION, device="cuda") + 0.1

    def check() -> None:
        few = [x[:, :256] for x in draw()]
        assert_close(fastlatent.frechet_distance(*few), peers.eigvalsh_frechet(*few), CLOSE)

    losses: dict[str, Loss] = {"fastlatent": fastlatent.frechet_distance}
    losses["torch idiom, eigvalsh"] = peers.eigvalsh_frechet
    if installed("torchmetrics.image.fid"):
        losses["torchmetrics"] = peers.torchmetrics_frechet
    return Case("frechet_distance, features", INCEPTION, losses, draw, check, timed="forward", eager_only=EAGER_ONLY)
