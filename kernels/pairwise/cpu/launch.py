"""The native CPU backend of the pairwise engine: tensors in, addresses to `fastlatent._native`."""

from collections.abc import Sequence
from types import ModuleType

import torch
from torch import Tensor

from ... import native

# The order of the enumerations in kernels/pairwise/cpu.hpp and kernels/native/scalar.hpp.
PROFILES = (
    "imq", "gaussian", "laplace", "rational_quadratic", "energy", "inverse_root", "kummer", "polynomial",
)  # fmt: skip
SCALARS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)

# Pairs times operations a pair below which threads cost more than they bring.
ENOUGH_FOR_THREADS = 5e7


def refusal(x: Tensor) -> str | None:
    """Why this backend cannot serve; None when it can."""
    if x.device.type != "cpu":
        return f"the tensors are on {x.device}"
    return native.unavailable()


def form(
    x: Tensor,
    y: Tensor,
    profile: str,
    parameters: Sequence[float],
    weights: Sequence[float],
    diagonal: bool,
    needs: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """Value and gradients of `PairwiseForm`: see there."""
    x, y = x.contiguous(), y.contiguous()
    (n, d), m = x.shape[-2:], y.shape[-2]
    result = torch.float64 if x.dtype == torch.float64 else torch.float32
    value = torch.empty(x.shape[:-2], dtype=result)
    grad_x = torch.empty(x.shape if needs[0] else 0, dtype=result)
    grad_y = torch.empty(y.shape if needs[1] else 0, dtype=result)
    batch = value.numel()
    _library().pairwise_form(
        PROFILES.index(profile), parameters, *weights, diagonal, SCALARS.index(x.dtype), x.data_ptr(),
        y.data_ptr(), batch, n, m, d, value.data_ptr(), grad_x.data_ptr(), grad_y.data_ptr(),
        _threads(batch * (n + m) ** 2 * (d + 30)),
    )  # fmt: skip
    return value, grad_x, grad_y


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """Indices of the nearest points: see `nearest` of the engine."""
    x, y = x.contiguous(), y.contiguous()
    (n, d), m = x.shape[-2:], y.shape[-2]
    index = torch.empty(x.shape[:-1], dtype=torch.int64)
    batch = x.shape[:-2].numel()
    _library().pairwise_nearest(
        SCALARS.index(x.dtype), x.data_ptr(), y.data_ptr(), batch, n, m, d, index.data_ptr(),
        _threads(batch * n * m * (d + 5)),
    )  # fmt: skip
    return index


def _library() -> ModuleType:
    library = native.library()
    assert library is not None  # refusal() has said so otherwise
    return library


def _threads(operations: float) -> int:
    return torch.get_num_threads() if operations > ENOUGH_FOR_THREADS else 1
