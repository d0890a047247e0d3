"""Square roots of covariances and the Fréchet distance: the ops, their autograd, their backends and routes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import autograd
from ..backend import choose
from . import gpu_dispatch, lapack, reference
from .cpu import launch as cpu

ROUTES = ("auto", "eigen", "gram", "newton_schulz")


@dataclass(frozen=True)
class Frechet:
    """‖μ₁−μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^{1/2}) of two samples, with eps·I added to both covariances."""

    eps: float = 0.0
    route: str = "auto"

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """x (..., n, d), y (..., m, d) -> (...,), in float32 for half precision."""
        return autograd.evaluate(self, x, y)

    def reference(self, x: Tensor, y: Tensor) -> Tensor:
        return reference.frechet(x, y, self.eps)

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        x, y = inputs
        least, d = min(x.shape[-2], y.shape[-2]), x.shape[-1]
        route = _route(self.route, x, d, least if self.eps == 0 else None)
        backend = _choose(route, inputs, least if route == "gram" else d)
        if backend == "reference":
            return autograd.by_reference(self.reference, inputs, needs)
        if backend in gpu_dispatch.BACKENDS:
            return gpu_dispatch.frechet(backend, inputs, self.eps, route, needs)
        if cpu.serves(x, least if route == "gram" else d, route):
            return cpu.frechet(x, y, self.eps, route, needs)
        return lapack.frechet(x, y, self.eps, route, needs)

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        return frechet(*inputs, self.eps, self.route, *needs)


@dataclass(frozen=True)
class FrechetNormal:
    """‖μ‖² + Tr(Σ + I − 2Σ^{1/2}) of a sample, with eps·I added to its covariance."""

    eps: float = 0.0
    route: str = "auto"

    def __call__(self, x: Tensor) -> Tensor:
        """x (..., n, d) -> (...,), in float32 for half precision."""
        return autograd.evaluate(self, x)

    def reference(self, x: Tensor) -> Tensor:
        return reference.frechet_normal(x, self.eps)

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        (x,) = inputs
        n, d = x.shape[-2:]
        route = _route(self.route, x, d, n if self.eps == 0 else None)
        backend = _choose(route, inputs, n if route == "gram" else d)
        if backend == "reference":
            return autograd.by_reference(self.reference, inputs, needs)
        if backend in gpu_dispatch.BACKENDS:
            return gpu_dispatch.frechet(backend, inputs, self.eps, route, needs)
        if cpu.serves(x, n if route == "gram" else d, route):
            return cpu.frechet_normal(x, self.eps, route, needs)
        return lapack.frechet_normal(x, self.eps, route, needs)

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        return frechet_normal(*inputs, self.eps, self.route, *needs)


@dataclass(frozen=True)
class Bures:
    """Tr(A + B − 2(AB)^{1/2}) of two positive semidefinite matrices."""

    route: str = "auto"

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b (..., d, d) -> (...,)."""
        return autograd.evaluate(self, a, b)

    def reference(self, a: Tensor, b: Tensor) -> Tensor:
        return reference.bures(a, b)

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        a, b = inputs
        route = _route(self.route, a, a.shape[-1], None)
        backend = _choose(route, inputs, a.shape[-1])
        if backend == "reference":
            return autograd.by_reference(self.reference, inputs, needs)
        if backend in gpu_dispatch.BACKENDS:
            return gpu_dispatch.bures(backend, a, b, needs)
        if cpu.serves(a, a.shape[-1], route):
            return cpu.bures(a, b, route, needs)
        return lapack.bures(a, b, route, needs)

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        return bures(*inputs, self.route, *needs)


def _route(route: str, x: Tensor, d: int, samples: int | None) -> str:
    """The route that "auto" takes for d×d matrices, of that many samples where their null space counts for nothing.

    The Gram side where covariances must be singular (with a ridge they are not); else products where they are fastest.
    """
    if route != "auto":
        return route
    if samples is not None and samples <= d:
        return "gram"
    return "newton_schulz" if cpu.iterates(x, d) or gpu_dispatch.iterates(x) else "eigen"


def _choose(route: str, inputs: Sequence[Tensor], size: int) -> str:
    """The backend for matrices of that size by that route."""
    x = inputs[0]
    refusals = gpu_dispatch.refusals(x, route, size)
    return choose(f"spectral ({route})", {**refusals, "cpu": cpu.refusal(x), "reference": None})


@torch.library.custom_op("fastlatent::frechet", mutates_args=())
def frechet(x: Tensor, y: Tensor, eps: float, route: str, grad_x: bool, grad_y: bool) -> tuple[Tensor, Tensor, Tensor]:
    """`Frechet` as an operator: value (...,), and the gradients of x and y (empty where not asked for)."""
    return Frechet(eps, route).run((x, y), (grad_x, grad_y))  # type: ignore[return-value]


@torch.library.custom_op("fastlatent::frechet_normal", mutates_args=())
def frechet_normal(x: Tensor, eps: float, route: str, grad_x: bool) -> tuple[Tensor, Tensor]:
    """`FrechetNormal` as an operator: value (...,), and the gradient of x (empty if not asked for)."""
    return FrechetNormal(eps, route).run((x,), (grad_x,))  # type: ignore[return-value]


@torch.library.custom_op("fastlatent::bures", mutates_args=())
def bures(a: Tensor, b: Tensor, route: str, grad_a: bool, grad_b: bool) -> tuple[Tensor, Tensor, Tensor]:
    """`Bures` as an operator: value (...,), and the gradients of a and b (empty where not asked for)."""
    return Bures(route).run((a, b), (grad_a, grad_b))  # type: ignore[return-value]


autograd.register(frechet, tensors=2, operation=Frechet)
autograd.register(frechet_normal, tensors=1, operation=FrechetNormal)
autograd.register(bures, tensors=2, operation=Bures)
