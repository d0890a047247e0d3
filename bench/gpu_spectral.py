"""The spectral engine on a GPU against the eigendecomposition's idioms, torchmetrics and an unrolled Newton–Schulz."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

import fastlatent
from bench import peers_spectral as peers
from bench.gpu_timing import Case, Loss, installed
from bench.timing import assert_close

SHAPES = [(256, 64), (1024, 256), (4096, 1024)]
INCEPTION = (8192, 2048)  # images, features
CLOSE = 1e-4
# An eigendecomposition waits for the device.
EAGER_ONLY = frozenset(["torch idiom, eigvalsh", "torchmetrics", "torch.linalg.eigh"])


def cases() -> list[Case]:
    return [*normal(), *pair(), few_samples(), roots(), covariances(), inception()]


def samples(count: int, n: int, d: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    """Codes that want a gradient, and where there are two samples one of the prior."""
    x = (1.2 * torch.randn(n, d, device="cuda") + 0.1).to(dtype).requires_grad_()
    return (x, torch.randn(n, d, device="cuda").to(dtype))[:count]


def definite(batch: int, d: int) -> Tensor:
    """Covariances of 4d points."""
    x = torch.randn(batch, 4 * d, d, device="cuda")
    return x.mT @ x / (4 * d)


def checked(ours: Loss, draw: Callable[[], tuple[Tensor, ...]], tolerance: float = CLOSE) -> Callable[[], None]:
    """A check of the gradient against the reference, which serves float64."""

    def check() -> None:
        inputs = [i.detach() for i in draw()]
        found: list[Tensor] = []
        for x, *others in (inputs, [i.double() for i in inputs]):
            x.requires_grad_()
            found += torch.autograd.grad(ours(x, *others).sum(), x)
        assert_close(found[0], found[1], tolerance)

    return check


def normal() -> Iterator[Case]:
    ours = fastlatent.frechet_distance_normal
    for shape in SHAPES:
        draw = partial(samples, 1, *shape)
        losses = {"fastlatent": ours, "torch idiom, eigvalsh": peers.eigvalsh_normal}
        yield Case("frechet_distance_normal", shape, losses, draw, checked(ours, draw), eager_only=EAGER_ONLY)
        half = partial(samples, 1, *shape, torch.bfloat16)
        yield Case("frechet_distance_normal", shape, {"fastlatent": ours}, half, checked(ours, half, tolerance=1e-2))


def pair() -> Iterator[Case]:
    ours = fastlatent.frechet_distance
    for shape in SHAPES:
        draw = partial(samples, 2, *shape)
        losses: dict[str, Loss] = {
            "fastlatent": ours,
            "torch idiom, eigvalsh": peers.eigvalsh_frechet,
            "torch idiom, 20 Newton-Schulz steps": peers.newton_schulz_frechet,
            "torch.compile of 20 steps": torch.compile(peers.newton_schulz_frechet, dynamic=False),
        }
        yield Case("frechet_distance", shape, losses, draw, checked(ours, draw), eager_only=EAGER_ONLY)


def few_samples() -> Case:
    """The Gram side."""
    shape, ours = (64, 1024), fastlatent.frechet_distance
    draw = partial(samples, 2, *shape)
    losses = {"fastlatent": ours, "torch idiom, eigvalsh": peers.eigvalsh_frechet}
    return Case("frechet_distance, n < d", shape, losses, draw, checked(ours, draw), eager_only=EAGER_ONLY)


def roots() -> Case:
    """Values alone: the derivative of eigh's root is another formula."""

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
    def ours(a: Tensor, b: Tensor) -> Tensor:
        zero = a.new_zeros(a.shape[:-1])
        return fastlatent.bures_wasserstein(zero, a, zero, b)

    def draw() -> tuple[Tensor, ...]:
        return definite(64, 64).requires_grad_(), definite(64, 64)

    losses = {"fastlatent": ours, "torch idiom, eigvalsh": peers.eigvalsh_bures}
    return Case("bures_wasserstein", (64, 64, 64), losses, draw, checked(ours, draw), eager_only=EAGER_ONLY)


def inception() -> Case:
    """FID's last step, from features: a value."""

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
