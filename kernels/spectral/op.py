"""Spectral engine: custom ops, autograd, choice of backend."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import autograd
from . import reference
from .routes import LAUNCHERS, SpectralOperation


@dataclass(frozen=True)
class Frechet(SpectralOperation):
    """‖μ₁−μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^{1/2}) of samples x (..., n, d) and y (..., m, d), eps·I added to both Σ."""

    eps: float = 0.0
    route: str = "auto"

    def reference(self, *inputs: Tensor) -> Tensor:
        """Compute `reference.frechet`."""
        x, y = inputs
        return reference.frechet(x, y, self.eps)

    def gram_size(self, inputs: Sequence[Tensor]) -> int | None:
        """Return the size of the smaller sample, without a ridge."""
        return min(x.shape[-2] for x in inputs) if self.eps == 0 else None

    def launch(self, backend: str, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients with that backend."""
        x, y = inputs
        return LAUNCHERS[backend].frechet(x, y, self.eps, self.route, needs_grad)

    def dispatch(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Call the registered operator."""
        return frechet(*inputs, self.eps, self.route, *needs_grad)


@dataclass(frozen=True)
class FrechetNormal(SpectralOperation):
    """‖μ‖² + Tr(Σ + I − 2Σ^{1/2}) of a sample x (..., n, d), eps·I added to Σ."""

    eps: float = 0.0
    route: str = "auto"

    def reference(self, *inputs: Tensor) -> Tensor:
        """Compute `reference.frechet_normal`."""
        (x,) = inputs
        return reference.frechet_normal(x, self.eps)

    def gram_size(self, inputs: Sequence[Tensor]) -> int | None:
        """Return the size of the sample, without a ridge."""
        return inputs[0].shape[-2] if self.eps == 0 else None

    def launch(self, backend: str, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradient with that backend."""
        (x,) = inputs
        return LAUNCHERS[backend].frechet_normal(x, self.eps, self.route, needs_grad)

    def dispatch(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Call the registered operator."""
        return frechet_normal(*inputs, self.eps, self.route, *needs_grad)


@dataclass(frozen=True)
class Bures(SpectralOperation):
    """Tr(A + B − 2(AB)^{1/2}) of positive semidefinite matrices A and B (..., d, d)."""

    route: str = "auto"

    def reference(self, *inputs: Tensor) -> Tensor:
        """Compute `reference.bures`."""
        a, b = inputs
        return reference.bures(a, b)

    def gram_size(self, inputs: Sequence[Tensor]) -> int | None:
        """Return None: the matrices are not covariances of samples."""
        return None

    def launch(self, backend: str, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients with that backend."""
        a, b = inputs
        return LAUNCHERS[backend].bures(a, b, self.route, needs_grad)

    def dispatch(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Call the registered operator."""
        return bures(*inputs, self.route, *needs_grad)


@torch.library.custom_op("fastlatent::frechet", mutates_args=())
def frechet(x: Tensor, y: Tensor, eps: float, route: str, grad_x: bool, grad_y: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Compute a `Frechet` distance as an operator: value (...,), gradients of x and y (empty if not needed)."""
    return Frechet(eps, route).compute((x, y), (grad_x, grad_y))  # type: ignore[return-value]


@torch.library.custom_op("fastlatent::frechet_normal", mutates_args=())
def frechet_normal(x: Tensor, eps: float, route: str, grad_x: bool) -> tuple[Tensor, Tensor]:
    """Compute a `FrechetNormal` distance as an operator: value (...,), gradient of x (empty if not needed)."""
    return FrechetNormal(eps, route).compute((x,), (grad_x,))  # type: ignore[return-value]


@torch.library.custom_op("fastlatent::bures", mutates_args=())
def bures(a: Tensor, b: Tensor, route: str, grad_a: bool, grad_b: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Compute a `Bures` distance as an operator: value (...,), gradients of a and b (empty if not needed)."""
    return Bures(route).compute((a, b), (grad_a, grad_b))  # type: ignore[return-value]


autograd.register(frechet, num_tensors=2, operation=Frechet)
autograd.register(frechet_normal, num_tensors=1, operation=FrechetNormal)
autograd.register(bures, num_tensors=2, operation=Bures)
