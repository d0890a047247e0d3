"""Which GPU version serves, and the way to it: Triton for small matrices, torch.matmul for all others."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import gpu
from ..autograd import full_precision
from . import coupled_iteration, matmul

BACKENDS = ("triton", "cuda")
ON_CHIP = 128  # the largest matrices that Triton takes


def refusals(x: Tensor, route: str, size: int) -> dict[str, str | None]:
    """Why each cannot serve matrices of that size from inputs like x by that route."""
    triton, torch_matmul = gpu.refusal(x), _not_on_cuda(x)
    if triton is None and size > ON_CHIP:
        triton = f"matrices of {size} rows are multiplied by torch.matmul"
    eigen = "an eigendecomposition would wait for the device" if route == "eigen" else None
    return {"triton": triton or eigen, "cuda": torch_matmul or eigen}


def iterates(x: Tensor) -> bool:
    """Whether inputs like x can go by products, which a GPU does faster than any decomposition."""
    return _not_on_cuda(x) is None or gpu.refusal(x) is None


def frechet(
    backend: str, samples: Sequence[Tensor], eps: float, route: str, needs: Sequence[bool]
) -> tuple[Tensor, ...]:
    """Value and gradients of `Frechet`, or of `FrechetNormal` for one sample."""
    flat = [_flat(x) for x in samples]
    with full_precision(flat):
        if route == "gram" or backend == "cuda":
            found = matmul.frechet(_solver(backend), flat, eps, route == "gram", needs)
        else:
            from .triton import launch as triton

            found = triton.frechet(flat, eps, needs)
    return _shaped(found, samples)


def bures(backend: str, a: Tensor, b: Tensor, needs: Sequence[bool]) -> tuple[Tensor, ...]:
    """Value and gradients of `Bures`."""
    with full_precision((a,)):
        return _shaped(matmul.bures(_solver(backend), _flat(a), _flat(b), needs), (a, b))


def sqrtm(backend: str, a: Tensor) -> Tensor:
    """A^{1/2} (..., d, d), in float32."""
    with full_precision((a,)):
        return matmul.sqrtm(_solver(backend), _flat(a)).view(a.shape)


def _not_on_cuda(x: Tensor) -> str | None:
    if not x.is_cuda:
        return f"the tensors are on {x.device}"
    return "float64 results need the eigendecomposition" if x.dtype == torch.float64 else None


def _solver(backend: str) -> matmul.Solver:
    if backend == "cuda":
        return coupled_iteration.geometric_means
    from .triton import launch as triton

    return triton.geometric_means


def _flat(x: Tensor) -> Tensor:
    """(..., n, d) as (batch, n, d)."""
    return x.detach().reshape(-1, *x.shape[-2:])


def _shaped(found: Sequence[Tensor], inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Value and gradients of a flat batch, as the inputs are."""
    value, *gradients = found
    return value.view(inputs[0].shape[:-2]), *(
        g.view(i.shape) if g.numel() else g for g, i in zip(gradients, inputs, strict=True)
    )
