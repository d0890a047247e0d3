"""Sliced distances with their gradients: the ops, their autograd, their backends."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .. import autograd, gpu
from ..backend import choose
from . import reference
from .cpu import launch as cpu
from .cuda import launch as cuda

# Longest column that one Triton program sorts and compares in its registers; a radix sort is for longer ones.
ONE_LAUNCH = 4096


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
        x = inputs[0]
        devices = {"triton": gpu.refusal(x), "cuda": cuda.refusal(x)}
        if x.shape[-2] > ONE_LAUNCH:
            devices = dict(reversed(devices.items()))
        chosen = choose("sliced", {**devices, "cpu": cpu.refusal(x, needs[-1]), "reference": None})
        if chosen == "cpu":
            return cpu.sliced(inputs, needs, self.p, self.normal)
        if chosen == "reference":
            return autograd.by_reference(self.reference, inputs, needs)
        with gpu.on_device_of(x):
            return _on_device(chosen).sliced(inputs, needs, self.p, self.normal)

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
        x = inputs[0]
        refusals = {"triton": gpu.refusal(x), "cpu": cpu.refusal(x, needs[-1]), "reference": None}
        chosen = choose("sliced", refusals)
        if chosen == "cpu":
            return cpu.epps_pulley(inputs, needs, self.n_points, self.t_max)
        if chosen == "reference":
            return autograd.by_reference(self.reference, inputs, needs)
        with gpu.on_device_of(x):
            return _on_device(chosen).epps_pulley(inputs, needs, self.n_points, self.t_max)

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        x, projections = inputs
        return epps_pulley(x, projections, self.n_points, self.t_max, *needs)


def _on_device(backend: str) -> Any:
    """The module of a GPU backend: "cuda" or "triton", which imports Triton."""
    return cuda if backend == "cuda" else importlib.import_module(".triton.launch", __package__)


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
