"""The square root of a matrix as an op: by eigendecomposition, on a GPU by products, and with its inverse."""

import math
from typing import Any

import torch
from torch import Tensor

from .. import autograd
from ..backend import choose
from . import coupled_iteration, gpu_dispatch, newton_schulz, reference
from .cpu import launch as cpu


def sqrtm(a: Tensor) -> Tensor:
    """A^{1/2} (..., d, d), differentiable as often as one likes."""
    if torch.compiler.is_compiling():
        return sqrtm_op(a)
    return reference.sqrtm(a) if autograd.differentiated_by_func() else _sqrtm(a)


def _sqrtm(a: Tensor) -> Tensor:
    refusals = gpu_dispatch.refusals(a, "newton_schulz", a.shape[-1])
    backend = choose("spectral (sqrtm)", {**refusals, "cpu": cpu.refusal(a), "reference": None})
    return SquareRoot.apply(backend, a) if backend in gpu_dispatch.BACKENDS else reference.sqrtm(a)


class SquareRoot(torch.autograd.Function):
    """A^{1/2} on a GPU, by products; so is its derivative, unless that must be differentiable too."""

    @staticmethod
    def forward(backend: str, a: Tensor) -> Tensor:
        return gpu_dispatch.sqrtm(backend, a.detach())

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[str, Tensor], output: Tensor) -> None:
        ctx.dtype = inputs[1].dtype
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[None, Tensor]:
        (root,) = ctx.saved_tensors
        return None, lyapunov(root, cotangent).to(ctx.dtype)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, int], backend: str, a: Tensor) -> tuple[Tensor, int]:
        return SquareRoot.apply(backend, a.movedim(in_dims[1], 0)), 0


def lyapunov(s: Tensor, c: Tensor) -> Tensor:
    """X with SX + XS = C, in float64: by products where the inputs are on a GPU and nobody differentiates it."""
    s, c = s.double(), c.double()
    if not s.is_cuda or torch.is_grad_enabled():
        return reference.Lyapunov.apply(s, c)
    flat = (-1, *s.shape[-2:])
    return coupled_iteration.lyapunov(s.reshape(flat), c.reshape(flat)).view(s.shape)


def sqrtm_newton_schulz(a: Tensor, max_iterations: int, tol: float | None) -> tuple[Tensor, Tensor, Tensor]:
    """A^{1/2}, A^{−1/2} (..., d, d) and the last residual (...,)."""
    a = a.to(torch.promote_types(a.dtype, torch.float32))
    tol = math.sqrt(torch.finfo(a.dtype).eps) if tol is None else tol
    if torch.compiler.is_compiling():
        return newton_schulz_op(a, max_iterations, tol)
    return NewtonSchulz.apply(a, max_iterations, tol)


def pull_back(root: Tensor, inverse: Tensor, of_root: Tensor, of_inverse: Tensor) -> Tensor:
    """Cotangent of A from those of S = A^{1/2} and Z = S⁻¹: dZ = −Z·dS·Z, and S·dS + dS·S = dA."""
    with autograd.full_precision((root,)):
        return lyapunov(root, of_root - inverse @ of_inverse @ inverse).to(root.dtype)


class NewtonSchulz(torch.autograd.Function):
    """`newton_schulz.roots`; the residual has no derivative."""

    @staticmethod
    def forward(a: Tensor, max_iterations: int, tol: float) -> tuple[Tensor, Tensor, Tensor]:
        with autograd.full_precision((a,)):
            return newton_schulz.roots(a, max_iterations, tol)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(output[2])
        ctx.save_for_backward(*output[:2])

    @staticmethod
    def backward(ctx: Any, of_root: Tensor, of_inverse: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        root, inverse = ctx.saved_tensors
        return pull_back(root, inverse, of_root, of_inverse), None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], a: Tensor, *options: Any) -> tuple[Any, Any]:
        return NewtonSchulz.apply(a.movedim(in_dims[0], 0), *options), 0  # type: ignore[arg-type]


@torch.library.custom_op("fastlatent::sqrtm", mutates_args=())
def sqrtm_op(a: Tensor) -> Tensor:
    """`sqrtm` as an operator."""
    return _sqrtm(a)


@torch.library.custom_op("fastlatent::sqrtm_newton_schulz", mutates_args=())
def newton_schulz_op(a: Tensor, max_iterations: int, tol: float) -> tuple[Tensor, Tensor, Tensor]:
    """`sqrtm_newton_schulz` as an operator."""
    return NewtonSchulz.forward(a, max_iterations, tol)


@sqrtm_op.register_fake
def _(a: Tensor) -> Tensor:
    return a.new_empty(a.shape, dtype=torch.promote_types(a.dtype, torch.float32))


@newton_schulz_op.register_fake
def _(a: Tensor, max_iterations: int, tol: float) -> tuple[Tensor, Tensor, Tensor]:
    return a.new_empty(a.shape), a.new_empty(a.shape), a.new_empty(a.shape[:-2])


def _save_root(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
    ctx.dtype = inputs[0].dtype
    ctx.save_for_backward(output)


def _pull_root(ctx: Any, cotangent: Tensor) -> Tensor:
    return lyapunov(ctx.saved_tensors[0], cotangent).to(ctx.dtype)


def _pull_both(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
    return NewtonSchulz.backward(ctx, *cotangents)


sqrtm_op.register_autograd(_pull_root, setup_context=_save_root)
newton_schulz_op.register_autograd(_pull_both, setup_context=NewtonSchulz.setup_context)
sqrtm_op.register_vmap(lambda info, in_dims, a: (sqrtm_op(a.movedim(in_dims[0], 0)), 0))
newton_schulz_op.register_vmap(
    lambda info, in_dims, a, *options: (newton_schulz_op(a.movedim(in_dims[0], 0), *options), (0, 0, 0))
)
