"""Pairwise engine: custom op, autograd, choice of backend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import autograd, gpu
from ..backend import launch_module
from . import reference
from .cpu import launch as cpu

BACKENDS = ("triton", "cpu", "reference")


def unsupported_reasons(x: Tensor) -> dict[str, str | None]:
    """Return, fastest backend first, why each does not support inputs like x; None if it does."""
    return {"triton": gpu.unsupported_reason(x), "cpu": cpu.unsupported_reason(x), "reference": None}


@dataclass(frozen=True)
class PairwiseSum(autograd.Operation):
    """w_xx Σ_{i≠j} φ(xᵢ, xⱼ) + w_xy Σ_ij φ(xᵢ, yⱼ) + w_yy Σ_{i≠j} φ(yᵢ, yⱼ); with `diagonal`, pairs i = j too.

    Every MMD is such a sum: one pass over the pairs gives its value and both gradients. Called with x (..., n, d) and
    y (..., m, d). The options are those of `reference.pairwise_sum`.
    """

    profile: str
    parameters: tuple[float, ...]
    weights: tuple[float, float, float]
    diagonal: bool = False

    engine = "pairwise"

    def reference(self, *inputs: Tensor) -> Tensor:
        """Compute `reference.pairwise_sum`."""
        x, y = inputs
        return reference.pairwise_sum(x, y, self.profile, self.parameters, self.weights, self.diagonal)

    def unsupported_reasons(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> Mapping[str, str | None]:
        """Return, fastest backend first, why each does not support the call; None if it does."""
        return unsupported_reasons(inputs[0])

    def launch(self, backend: str, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients with that backend."""
        x, y = inputs
        pairwise_sum = launch_module(__package__, backend).pairwise_sum
        return pairwise_sum(x, y, self.profile, self.parameters, self.weights, self.diagonal, needs_grad)

    def dispatch(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Call the registered operator."""
        x, y = inputs
        return pairwise(x, y, self.profile, list(self.parameters), list(self.weights), self.diagonal, *needs_grad)


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
    """Compute a `PairwiseSum` as an operator: value (...,), gradients of x and y (empty if not needed)."""
    operation = _pairwise_sum(profile, parameters, weights, diagonal)
    return operation.compute((x, y), (grad_x, grad_y))  # type: ignore[return-value]


def _pairwise_sum(profile: str, parameters: Sequence[float], weights: Sequence[float], diagonal: bool) -> PairwiseSum:
    xx, xy, yy = weights
    return PairwiseSum(profile, tuple(parameters), (xx, xy, yy), diagonal)


autograd.register(pairwise, num_tensors=2, operation=_pairwise_sum)
