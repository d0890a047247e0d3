"""Sliced engine: custom ops, autograd, choice of backend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import autograd, gpu
from ..backend import launch_module
from . import reference
from .cpu import launch as cpu
from .cuda import launch as cuda

BACKENDS = ("triton", "cuda", "cpu", "reference")

# Longest column that one Triton program sorts in its registers; beyond it the radix sort of "cuda" is faster.
MAX_SINGLE_LAUNCH = 4096


@dataclass(frozen=True)
class SlicedDistance(autograd.Operation):
    """(1/L) Σ_l W_p^p(θ_lᵀx, θ_lᵀy), or the distance to a normal distribution: see `reference.sliced`.

    Called with x (..., n, d), y (..., m, d) and projections (..., d, L).
    """

    p: float
    normal: bool = False

    engine = "sliced"

    def reference(self, *inputs: Tensor) -> Tensor:
        """Compute `reference.sliced`."""
        x, y, projections = inputs
        return reference.sliced(x, y, projections, self.p, self.normal)

    def unsupported_reasons(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> Mapping[str, str | None]:
        """Return, fastest backend first, why each does not support the call; None if it does."""
        x = inputs[0]
        on_gpu = {"triton": gpu.unsupported_reason(x), "cuda": cuda.unsupported_reason(x)}
        if x.shape[-2] > MAX_SINGLE_LAUNCH:
            on_gpu = dict(reversed(on_gpu.items()))
        return {**on_gpu, "cpu": cpu.unsupported_reason(x, needs_grad[-1]), "reference": None}

    def launch(self, backend: str, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients with that backend."""
        return launch_module(__package__, backend).sliced(inputs, needs_grad, self.p, self.normal)

    def dispatch(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Call the registered operator."""
        x, y, projections = inputs
        return sliced(x, y, projections, self.p, self.normal, *needs_grad)


@dataclass(frozen=True)
class EppsPulley(autograd.Operation):
    """Sliced Epps–Pulley statistic: see `reference.epps_pulley`. Called with x (..., n, d), projections (..., d, L)."""

    n_points: int
    t_max: float

    engine = "sliced"

    def reference(self, *inputs: Tensor) -> Tensor:
        """Compute `reference.epps_pulley`."""
        x, projections = inputs
        return reference.epps_pulley(x, projections, self.n_points, self.t_max)

    def unsupported_reasons(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> Mapping[str, str | None]:
        """Return, fastest backend first, why each does not support the call; None if it does."""
        x = inputs[0]
        return {
            "triton": gpu.unsupported_reason(x),
            "cpu": cpu.unsupported_reason(x, needs_grad[-1]),
            "reference": None,
        }

    def launch(self, backend: str, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients with that backend."""
        return launch_module(__package__, backend).epps_pulley(inputs, needs_grad, self.n_points, self.t_max)

    def dispatch(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Call the registered operator."""
        x, projections = inputs
        return epps_pulley(x, projections, self.n_points, self.t_max, *needs_grad)


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
    """Compute a `SlicedDistance` as an operator: value (...,), and the gradients (empty if not needed)."""
    needs_grad = (grad_x, grad_y, grad_projections)
    return SlicedDistance(p, normal).compute((x, y, projections), needs_grad)  # type: ignore[return-value]


@torch.library.custom_op("fastlatent::epps_pulley", mutates_args=())
def epps_pulley(
    x: Tensor, projections: Tensor, n_points: int, t_max: float, grad_x: bool, grad_projections: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute an `EppsPulley` statistic as an operator: value (...,), and the gradients (empty if not needed)."""
    needs_grad = (grad_x, grad_projections)
    return EppsPulley(n_points, t_max).compute((x, projections), needs_grad)  # type: ignore[return-value]


autograd.register(sliced, num_tensors=3, operation=SlicedDistance)
autograd.register(epps_pulley, num_tensors=2, operation=EppsPulley)
