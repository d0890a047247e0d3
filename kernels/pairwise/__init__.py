"""Sums of a radial profile over pairs of points, with their gradients: the op, its autograd, its backends."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import autograd
from ..backend import choose
from . import cpu, reference


@dataclass(frozen=True)
class PairwiseForm:
    """w_xx Σ_{i≠j} φ(‖xᵢ−xⱼ‖²) + w_xy Σ_ij φ(‖xᵢ−yⱼ‖²) + w_yy Σ_{i≠j} φ(‖yᵢ−yⱼ‖²).

    Every MMD is such a form: one pass over the pairs gives its value and both gradients.
    """

    profile: str
    parameters: tuple[float, ...]
    weights: tuple[float, float, float]

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """x (..., n, d), y (..., m, d) -> (...,), in float32 for half precision."""
        return autograd.evaluate(self, x, y)

    def reference(self, x: Tensor, y: Tensor) -> Tensor:
        return reference.form(x, y, self.profile, self.parameters, self.weights)

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        x, y = inputs
        if choose("pairwise", {"cpu": cpu.refusal(x, self.profile), "reference": None}) == "cpu":
            return cpu.form(x, y, self.profile, self.parameters, self.weights, needs)
        return autograd.by_reference(self.reference, inputs, needs)

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        x, y = inputs
        return pairwise(x, y, self.profile, list(self.parameters), list(self.weights), *needs)


@torch.library.custom_op("fastlatent::pairwise", mutates_args=())
def pairwise(
    x: Tensor,
    y: Tensor,
    profile: str,
    parameters: list[float],
    weights: list[float],
    grad_x: bool,
    grad_y: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """`PairwiseForm` as an operator: value (...,), and the gradients of x and y (empty where not asked for)."""
    return _form(profile, parameters, weights).run((x, y), (grad_x, grad_y))  # type: ignore[return-value]


def _form(profile: str, parameters: Sequence[float], weights: Sequence[float]) -> PairwiseForm:
    xx, xy, yy = weights
    return PairwiseForm(profile, tuple(parameters), (xx, xy, yy))


autograd.register(pairwise, inputs=2, operation=_form)
