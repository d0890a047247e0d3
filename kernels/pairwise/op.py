"""Sums of a profile over pairs of points with their gradients, and nearest neighbours: the ops and their backends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .. import autograd, gpu
from ..backend import choose
from . import reference
from .cpu import launch as cpu


def _choose(x: Tensor) -> str:
    return choose("pairwise", {"triton": gpu.refusal(x), "cpu": cpu.refusal(x), "reference": None})


@dataclass(frozen=True)
class PairwiseForm:
    """w_xx Σ_{i≠j} φ(xᵢ, xⱼ) + w_xy Σ_ij φ(xᵢ, yⱼ) + w_yy Σ_{i≠j} φ(yᵢ, yⱼ); with `diagonal`, pairs i = j too.

    Every MMD is such a form: one pass over the pairs gives its value and both gradients. `profile` and `parameters`
    are those of `reference.form`.
    """

    profile: str
    parameters: tuple[float, ...]
    weights: tuple[float, float, float]
    diagonal: bool = False

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """x (..., n, d), y (..., m, d) -> (...,), in float32 for half precision."""
        return autograd.evaluate(self, x, y)

    def reference(self, x: Tensor, y: Tensor) -> Tensor:
        return reference.form(x, y, self.profile, self.parameters, self.weights, self.diagonal)

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        x, y = inputs
        backend = _choose(x)
        if backend == "reference":
            return autograd.by_reference(self.reference, inputs, needs)
        if backend == "cpu":
            return cpu.form(x, y, self.profile, self.parameters, self.weights, self.diagonal, needs)
        from .triton import launch as triton

        return triton.form(x, y, self.profile, self.parameters, self.weights, self.diagonal, needs)

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        x, y = inputs
        return pairwise(x, y, self.profile, list(self.parameters), list(self.weights), self.diagonal, *needs)


@torch.library.custom_op("fastlatent::pairwise", mutates_args=())
def pairwise(
    x: Tensor,
    y: Tensor,
    profile: str,
    parameters: list[float],
    weights: list[float],
    diagonal: bool,
    grad_x: bool,
    grad_y: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """`PairwiseForm` as an operator: value (...,), and the gradients of x and y (empty where not asked for)."""
    return _form(profile, parameters, weights, diagonal).run((x, y), (grad_x, grad_y))  # type: ignore[return-value]


def _form(profile: str, parameters: Sequence[float], weights: Sequence[float], diagonal: bool) -> PairwiseForm:
    xx, xy, yy = weights
    return PairwiseForm(profile, tuple(parameters), (xx, xy, yy), diagonal)


autograd.register(pairwise, tensors=2, operation=_form)


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """For each of x (..., n, d) the index of the nearest point of y (..., m, d), the lowest of equals: (..., n)."""
    if autograd.differentiated_by_func():
        return reference.nearest(x.detach(), y.detach())
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return nearest_neighbours(x, y)
    return _nearest(x, y)


def _nearest(x: Tensor, y: Tensor) -> Tensor:
    with torch.no_grad():
        backend = _choose(x)
        if backend == "reference":
            return reference.nearest(x, y)
        if backend == "cpu":
            return cpu.nearest(x, y)
        from .triton import launch as triton

        return triton.nearest(x, y)


@torch.library.custom_op("fastlatent::nearest", mutates_args=())
def nearest_neighbours(x: Tensor, y: Tensor) -> Tensor:
    """`nearest` as an operator."""
    return _nearest(x, y)


@nearest_neighbours.register_fake
def _(x: Tensor, y: Tensor) -> Tensor:
    return x.new_empty(x.shape[:-1], dtype=torch.int64)


@nearest_neighbours.register_vmap
def _(info: Any, in_dims: tuple[int | None, int | None], x: Tensor, y: Tensor) -> tuple[Tensor, int]:
    return nearest_neighbours(*autograd.batched(info.batch_size, in_dims, (x, y))), 0
