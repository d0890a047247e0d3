"""Sliced distances with their gradients: the ops, their autograd, their backends."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import autograd
from ..backend import choose
from . import cpu, reference


@dataclass(frozen=True)
class SlicedForm:
    """(1/L) Σ_l W_p^p(θ_lᵀx, θ_lᵀy), or the distance to a normal: see `reference.sliced`."""

    p: float
    normal: bool = False

    def __call__(self, x: Tensor, y: Tensor, projections: Tensor) -> Tensor:
        """x (..., n, d), y (..., m, d), projections (..., d, L) -> (...,), in float32 for half precision."""
        return autograd.evaluate(self, x, y, projections)

    def reference(self, *inputs: Tensor) -> Tensor:
        x, y, projections = inputs
        return reference.sliced(x, y, projections, self.p, self.normal)

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        if choose("sliced", {"cpu": cpu.refusal(inputs[0], needs[-1]), "reference": None}) == "cpu":
            return cpu.sliced(inputs, needs, self.p, self.normal)
        return autograd.by_reference(self.reference, inputs, needs)

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        x, y, projections = inputs
        return sliced(x, y, projections, self.p, self.normal, *needs)


@dataclass(frozen=True)
class EppsPulleyForm:
    """The sliced Epps–Pulley statistic of `reference.epps_pulley`."""

    n_points: int
    t_max: float

    def __call__(self, x: Tensor, projections: Tensor) -> Tensor:
        """x (..., n, d), projections (..., d, L) -> (...,), in float32 for half precision."""
        return autograd.evaluate(self, x, projections)

    def reference(self, *inputs: Tensor) -> Tensor:
        x, projections = inputs
        return reference.epps_pulley(x, projections, self.n_points, self.t_max)

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        if choose("sliced", {"cpu": cpu.refusal(inputs[0], needs[-1]), "reference": None}) == "cpu":
            return cpu.epps_pulley(inputs, needs, self.n_points, self.t_max)
        return autograd.by_reference(self.reference, inputs, needs)

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        x, projections = inputs
        return epps_pulley(x, projections, self.n_points, self.t_max, *needs)


@torch.library.custom_op("fastlatent::sliced", mutates_args=())
def sliced(
    x: Tensor,
    y: Tensor,
    projections: Tensor,
    p: float,
    normal: bool,
    grad_x: bool,
    grad_y: bool,
    grad_projections: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`SlicedForm` as an operator: value (...,), and the gradients (empty where not asked for)."""
    needs = (grad_x, grad_y, grad_projections)
    return SlicedForm(p, normal).run((x, y, projections), needs)  # type: ignore[return-value]


@torch.library.custom_op("fastlatent::epps_pulley", mutates_args=())
def epps_pulley(
    x: Tensor, projections: Tensor, n_points: int, t_max: float, grad_x: bool, grad_projections: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """`EppsPulleyForm` as an operator: value (...,), and the gradients (empty where not asked for)."""
    return EppsPulleyForm(n_points, t_max).run((x, projections), (grad_x, grad_projections))  # type: ignore[return-value]


autograd.register(sliced, tensors=3, operation=SlicedForm)
autograd.register(epps_pulley, tensors=2, operation=EppsPulleyForm)
