"""Native CPU backend of the pairwise engine: passes addresses and sizes to `fastlatent._native`."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ... import native
from ...precision import accumulation_dtype

# In the order of Profile in engine.hpp.
PROFILES = (
    "imq", "gaussian", "laplace", "rational_quadratic", "energy", "inverse_root", "kummer", "polynomial",
)  # fmt: skip

# Operations of a call (pairs times operations per pair) below which threads cost more than they save.
MIN_THREADED_OPERATIONS = 5e7


def unsupported_reason(x: Tensor) -> str | None:
    """Return why this backend does not support inputs like x; None if it does."""
    if not x.is_cpu:
        return f"the tensors are on {x.device}"
    return native.unavailable()


def pairwise_sum(
    x: Tensor,
    y: Tensor,
    profile: str,
    parameters: Sequence[float],
    weights: Sequence[float],
    diagonal: bool,
    needs_grad: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute value and gradients of a `PairwiseSum`."""
    x, y = x.contiguous(), y.contiguous()
    (n, d), m = x.shape[-2:], y.shape[-2]
    dtype = accumulation_dtype(x.dtype)
    value = x.new_empty(x.shape[:-2], dtype=dtype)
    grad_x = x.new_empty(x.shape if needs_grad[0] else 0, dtype=dtype)
    grad_y = y.new_empty(y.shape if needs_grad[1] else 0, dtype=dtype)
    batch = value.numel()
    native.module().pairwise_sum(  # type: ignore[union-attr]
        PROFILES.index(profile), parameters, *weights, diagonal, native.DTYPES.index(x.dtype), x.data_ptr(),
        y.data_ptr(), batch, n, m, d, value.data_ptr(), grad_x.data_ptr(), grad_y.data_ptr(),
        _num_threads(batch * (n + m) ** 2 * (d + 30)),
    )  # fmt: skip
    return value, grad_x, grad_y


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """Compute the indices of the nearest points of `neighbors.nearest`."""
    x, y = x.contiguous(), y.contiguous()
    (n, d), m = x.shape[-2:], y.shape[-2]
    index = x.new_empty(x.shape[:-1], dtype=torch.int64)
    batch = x.shape[:-2].numel()
    native.module().pairwise_nearest(  # type: ignore[union-attr]
        native.DTYPES.index(x.dtype), x.data_ptr(), y.data_ptr(), batch, n, m, d, index.data_ptr(),
        _num_threads(batch * n * m * (d + 5)),
    )  # fmt: skip
    return index


def _num_threads(operations: float) -> int:
    return torch.get_num_threads() if operations > MIN_THREADED_OPERATIONS else 1
