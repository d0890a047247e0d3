"""Native CPU backend of the spectral engine: passes addresses and sizes of small matrices to `fastlatent._native`."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ... import native
from ...precision import widen

# Crossovers measured on one core of a server CPU with AVX-512 (bench_spectral.py times each route by its name).
MAX_EIGEN_SIZE = 128  # rows; beyond, LAPACK's blocked eigendecomposition is as fast
MAX_ITERATION_SIZE = 256  # rows; beyond, LAPACK is faster
ITERATION_SIZES = range(24, MAX_ITERATION_SIZE + 1)  # rows at which the float32 iteration is the fastest of all


def unsupported_reason(x: Tensor, route: str, size: int) -> str | None:
    """Return why the native kernels do not support matrices of this size by this route; None if they do."""
    if not x.is_cpu:
        return f"the tensors are on {x.device}"
    if route == "newton_schulz" and x.dtype == torch.float64:
        return "it iterates in float32; the tensors are torch.float64"
    max_size = MAX_ITERATION_SIZE if route == "newton_schulz" else MAX_EIGEN_SIZE
    if size > max_size:
        return f"it takes matrices of at most {max_size} rows; these have {size}"
    return native.unavailable()


def prefers_iteration(x: Tensor, size: int) -> bool:
    """Return whether the native iteration is the fastest route on a CPU for matrices of this size."""
    return size in ITERATION_SIZES and unsupported_reason(x, "newton_schulz", size) is None


def frechet(x: Tensor, y: Tensor, eps: float, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Compute value and gradients of `Frechet`."""
    x, y = _contiguous(x), _contiguous(y)
    value, gradients = _outputs((x, y), needs_grad)
    native.module().spectral_frechet(  # type: ignore[union-attr]
        native.DTYPES.index(x.dtype), x.data_ptr(), y.data_ptr(), value.numel(), x.shape[-2], y.shape[-2], x.shape[-1],
        eps, route == "gram", route == "newton_schulz", value.data_ptr(), gradients[0].data_ptr(),
        gradients[1].data_ptr(), torch.get_num_threads(),
    )  # fmt: skip
    return value, *gradients


def frechet_normal(x: Tensor, eps: float, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Compute value and gradient of `FrechetNormal`."""
    x = _contiguous(x)
    value, gradients = _outputs((x,), needs_grad)
    native.module().spectral_frechet_normal(  # type: ignore[union-attr]
        native.DTYPES.index(x.dtype), x.data_ptr(), value.numel(), x.shape[-2], x.shape[-1], eps, route == "gram",
        route == "newton_schulz", value.data_ptr(), gradients[0].data_ptr(), torch.get_num_threads(),
    )  # fmt: skip
    return value, *gradients


def bures(a: Tensor, b: Tensor, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Compute value and gradients of `Bures`."""
    a, b = _contiguous(a), _contiguous(b)
    value, gradients = _outputs((a, b), needs_grad)
    native.module().spectral_bures(  # type: ignore[union-attr]
        native.DTYPES.index(a.dtype), a.data_ptr(), b.data_ptr(), value.numel(), a.shape[-1], route == "newton_schulz",
        value.data_ptr(), gradients[0].data_ptr(), gradients[1].data_ptr(), torch.get_num_threads(),
    )  # fmt: skip
    return value, *gradients


def _contiguous(x: Tensor) -> Tensor:
    """Return x contiguous in float64 or float32."""
    return widen(x).contiguous()


def _outputs(inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, list[Tensor]]:
    """Allocate the value and the gradients; an empty tensor has address 0, which means "not needed"."""
    value = inputs[0].new_empty(inputs[0].shape[:-2])
    return value, [
        torch.empty_like(i) if need else value.new_empty(0) for i, need in zip(inputs, needs_grad, strict=True)
    ]
