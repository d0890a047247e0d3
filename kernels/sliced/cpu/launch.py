"""Native CPU backend of the sliced engine: passes addresses and sizes to `fastlatent._native`."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ... import native
from ...precision import widen
from ..reference import quadrature

# Projected points of a call below which threads cost more than they save.
MIN_THREADED_POINTS = 2**16


def unsupported_reason(x: Tensor, grad_projections: bool) -> str | None:
    """Return why this backend does not support inputs like x; None if it does."""
    if not x.is_cpu:
        return f"the tensors are on {x.device}"
    if grad_projections:
        return "it has no gradient with respect to the projections"
    return native.unavailable()


def sliced(inputs: Sequence[Tensor], needs_grad: Sequence[bool], p: float, normal: bool) -> tuple[Tensor, ...]:
    """Compute value and gradients of a `SlicedDistance`."""
    x, y = widen(inputs[0]).contiguous(), widen(inputs[1]).contiguous()
    projections, shared = _transpose(inputs[-1], x.dtype)
    batch, (n, d), m, count = x.shape[:-2], x.shape[-2:], y.shape[-2], projections.shape[-2]
    value = x.new_empty(batch)
    grad_x = x.new_empty(x.shape if needs_grad[0] else 0)
    grad_y = x.new_empty(y.shape if needs_grad[1] else 0)
    native.module().sliced_wasserstein(  # type: ignore[union-attr]
        native.DTYPES.index(x.dtype), p, normal, x.data_ptr(), y.data_ptr(), projections.data_ptr(), shared,
        value.numel(), n, m, d, count, value.data_ptr(), grad_x.data_ptr(), grad_y.data_ptr(),
        _num_threads((n + m) * count),
    )  # fmt: skip
    return value, grad_x, grad_y, x.new_empty(0)


def epps_pulley(
    inputs: Sequence[Tensor], needs_grad: Sequence[bool], n_points: int, t_max: float
) -> tuple[Tensor, ...]:
    """Compute value and gradients of an `EppsPulley` statistic."""
    x = widen(inputs[0]).contiguous()
    projections, shared = _transpose(inputs[1], x.dtype)
    batch, (n, d), count = x.shape[:-2], x.shape[-2:], projections.shape[-2]
    value = x.new_empty(batch)
    grad_x = x.new_empty(x.shape if needs_grad[0] else 0)
    points, weights = quadrature(n_points, t_max)
    native.module().sliced_epps_pulley(  # type: ignore[union-attr]
        native.DTYPES.index(x.dtype), points, weights, x.data_ptr(), projections.data_ptr(), shared,
        value.numel(), n, d, count, value.data_ptr(), grad_x.data_ptr(), _num_threads(n * count),
    )  # fmt: skip
    return value, grad_x, x.new_empty(0)


def _transpose(projections: Tensor, dtype: torch.dtype) -> tuple[Tensor, bool]:
    """Return the directions as contiguous rows, (..., L, d), and whether the whole batch shares them."""
    while projections.dim() > 2 and projections.stride(0) == 0:
        projections = projections[0]
    return projections.mT.to(dtype).contiguous(), projections.dim() == 2


def _num_threads(projected_points: int) -> int:
    return torch.get_num_threads() if projected_points > MIN_THREADED_POINTS else 1
