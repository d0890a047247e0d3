"""The native CPU backend of the sliced engine: tensors in, addresses to `fastlatent._native`."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ... import native
from ..reference import quadrature

NATIVE = (torch.float32, torch.float64)
# Projected points below which threads cost more than they bring.
ENOUGH_FOR_THREADS = 2**16


def refusal(x: Tensor, grad_projections: bool) -> str | None:
    """Why this backend cannot serve; None when it can."""
    if x.device.type != "cpu":
        return f"the tensors are on {x.device}"
    if grad_projections:
        return "it gives no gradient with respect to the projections"
    return native.unavailable()


def sliced(inputs: Sequence[Tensor], needs: Sequence[bool], p: float, normal: bool) -> tuple[Tensor, ...]:
    """Value and gradients of `SlicedForm`: see there."""
    library = native.library()
    assert library is not None  # refusal() has said so otherwise
    x, y = _prepare(inputs[0]), _prepare(inputs[1])
    projections, shared = _directions(inputs[-1], x.dtype)
    batch, (n, d), m, count = x.shape[:-2], x.shape[-2:], y.shape[-2], projections.shape[-2]
    value = x.new_empty(batch)
    grad_x = x.new_empty(x.shape if needs[0] else 0)
    grad_y = x.new_empty(y.shape if needs[1] else 0)
    library.sliced(
        x.dtype == torch.float64, p, normal, x.data_ptr(), y.data_ptr(), projections.data_ptr(), shared,
        value.numel(), n, m, d, count, value.data_ptr(), grad_x.data_ptr(), grad_y.data_ptr(),
        _threads((n + m) * count),
    )  # fmt: skip
    return value, grad_x, grad_y, x.new_empty(0)


def epps_pulley(inputs: Sequence[Tensor], needs: Sequence[bool], n_points: int, t_max: float) -> tuple[Tensor, ...]:
    """Value and gradients of `EppsPulleyForm`: see there."""
    library = native.library()
    assert library is not None  # refusal() has said so otherwise
    x = _prepare(inputs[0])
    projections, shared = _directions(inputs[1], x.dtype)
    batch, (n, d), count = x.shape[:-2], x.shape[-2:], projections.shape[-2]
    value = x.new_empty(batch)
    grad_x = x.new_empty(x.shape if needs[0] else 0)
    points, weights = quadrature(n_points, t_max)
    library.epps_pulley(
        x.dtype == torch.float64, points, weights, x.data_ptr(), projections.data_ptr(), shared,
        value.numel(), n, d, count, value.data_ptr(), grad_x.data_ptr(), _threads(n * count),
    )  # fmt: skip
    return value, grad_x, x.new_empty(0)


def _prepare(x: Tensor) -> Tensor:
    return (x if x.dtype in NATIVE else x.float()).contiguous()


def _directions(projections: Tensor, dtype: torch.dtype) -> tuple[Tensor, bool]:
    """Directions in contiguous rows, (..., L, d), and whether all of the batch has the same."""
    while projections.dim() > 2 and projections.stride(0) == 0:
        projections = projections[0]
    return projections.mT.to(dtype).contiguous(), projections.dim() == 2


def _threads(projected: int) -> int:
    return torch.get_num_threads() if projected > ENOUGH_FOR_THREADS else 1
