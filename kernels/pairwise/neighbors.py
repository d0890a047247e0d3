"""Nearest neighbors: custom op and choice of backend; an index has no derivative."""

from typing import Any

import torch
from torch import Tensor

from .. import autograd
from ..backend import launch_module, select_backend
from ..dispatch import is_plain
from . import op, reference


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """Return for each point of x (..., n, d) the index of the nearest of y (..., m, d), the lowest of ties (..., n)."""
    if is_plain(x, y):
        return _nearest(x, y)
    if autograd.differentiated_by_func():
        return reference.nearest(x.detach(), y.detach())
    return nearest_neighbors(x, y)


def _nearest(x: Tensor, y: Tensor) -> Tensor:
    with torch.no_grad():
        backend = select_backend("pairwise", op.unsupported_reasons(x))
        if backend == "reference":
            return reference.nearest(x, y)
        return launch_module(__package__, backend).nearest(x, y)


@torch.library.custom_op("fastlatent::nearest", mutates_args=())
def nearest_neighbors(x: Tensor, y: Tensor) -> Tensor:
    """Compute `nearest` as an operator."""
    return _nearest(x, y)


@nearest_neighbors.register_fake
def _(x: Tensor, y: Tensor) -> Tensor:
    return x.new_empty(x.shape[:-1], dtype=torch.int64)


@nearest_neighbors.register_vmap
def _(info: Any, in_dims: tuple[int | None, int | None], x: Tensor, y: Tensor) -> tuple[Tensor, int]:
    return nearest_neighbors(*autograd.batched(info.batch_size, in_dims, (x, y))), 0
