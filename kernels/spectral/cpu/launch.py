"""The native CPU version: addresses and sizes for small matrices, which it keeps in cache; LAPACK has the others."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ... import native

# Crossovers measured on one core of a server processor with AVX-512 (bench_spectral.py times each route by its name).
DECOMPOSED = 128  # the largest size that the native eigendecomposition serves; beyond, LAPACK's blocked one is as fast
ITERATED = range(24, 257)  # the sizes at which products in float32 beat both; below, float64 costs as little


def refusal(x: Tensor) -> str | None:
    """Why the CPU cannot serve this input; None when it can."""
    if x.device.type != "cpu":
        return f"the input is on {x.device.type}"
    return None


def iterates(x: Tensor, size: int) -> bool:
    """Whether the native iteration by products is the fastest way for matrices of this size."""
    return size in ITERATED and refusal(x) is None and serves(x, size, "newton_schulz")


def serves(x: Tensor, size: int, route: str) -> bool:
    """Whether the native kernel is the one for matrices of this size by that route."""
    if native.library() is None:
        return False
    if route == "newton_schulz":
        return size < ITERATED.stop and x.dtype != torch.float64
    return size <= DECOMPOSED


def frechet(x: Tensor, y: Tensor, eps: float, route: str, needs: Sequence[bool]) -> tuple[Tensor, ...]:
    """Value and gradients of `Frechet`."""
    x, y = _ready(x), _ready(y)
    value, gradients = _outputs((x, y), needs)
    native.library().spectral_frechet(  # type: ignore[union-attr]
        x.dtype == torch.float64, x.data_ptr(), y.data_ptr(), value.numel(), x.shape[-2], y.shape[-2], x.shape[-1],
        eps, route == "gram", route == "newton_schulz", value.data_ptr(), gradients[0].data_ptr(),
        gradients[1].data_ptr(), torch.get_num_threads(),
    )  # fmt: skip
    return value, *gradients


def frechet_normal(x: Tensor, eps: float, route: str, needs: Sequence[bool]) -> tuple[Tensor, ...]:
    """Value and gradient of `FrechetNormal`."""
    x = _ready(x)
    value, gradients = _outputs((x,), needs)
    native.library().spectral_frechet_normal(  # type: ignore[union-attr]
        x.dtype == torch.float64, x.data_ptr(), value.numel(), x.shape[-2], x.shape[-1], eps, route == "gram",
        route == "newton_schulz", value.data_ptr(), gradients[0].data_ptr(), torch.get_num_threads(),
    )  # fmt: skip
    return value, *gradients


def bures(a: Tensor, b: Tensor, route: str, needs: Sequence[bool]) -> tuple[Tensor, ...]:
    """Value and gradients of `Bures`."""
    a, b = _ready(a), _ready(b)
    value, gradients = _outputs((a, b), needs)
    native.library().spectral_bures(  # type: ignore[union-attr]
        a.dtype == torch.float64, a.data_ptr(), b.data_ptr(), value.numel(), a.shape[-1], route == "newton_schulz",
        value.data_ptr(), gradients[0].data_ptr(), gradients[1].data_ptr(), torch.get_num_threads(),
    )  # fmt: skip
    return value, *gradients


def _ready(x: Tensor) -> Tensor:
    if x.dtype not in (torch.float32, torch.float64):
        x = x.float()
    return x.contiguous()


def _outputs(inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, list[Tensor]]:
    """Room for the value and the gradients; an empty tensor has address 0, which says "not needed"."""
    value = inputs[0].new_empty(inputs[0].shape[:-2])
    return value, [torch.empty_like(i) if need else value.new_empty(0) for i, need in zip(inputs, needs, strict=True)]
