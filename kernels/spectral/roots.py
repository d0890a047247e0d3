"""Matrix square roots as ops: A^{1/2} by eigendecomposition or, on a GPU, by matmul; and A^{1/2} with A^{−1/2}."""

import math
from typing import Any

import torch
from torch import Tensor

from .. import autograd
from ..backend import select_backend
from ..dispatch import is_plain
from ..precision import accumulation_dtype, autocast_disabled, widen
from . import coupled_iteration, newton_schulz, reference
from .routes import LAUNCHERS, unsupported_reasons


def sqrtm(a: Tensor) -> Tensor:
    """Compute A^{1/2} (..., d, d), differentiable to any order."""
    if is_plain(a):
        return _sqrtm(a)
    return reference.sqrtm(a) if autograd.differentiated_by_func() else sqrtm_op(a)


def _sqrtm(a: Tensor) -> Tensor:
    backend = select_backend("spectral (sqrtm)", unsupported_reasons(a, "sqrtm", a.shape[-1]))
    return SquareRoot.apply(backend, a) if backend in ("triton", "matmul") else reference.sqrtm(a)


class SquareRoot(torch.autograd.Function):
    """A^{1/2} on a GPU by matmul; so is its derivative, unless that must be differentiable too."""

    @staticmethod
    def forward(backend: str, a: Tensor) -> Tensor:
        """Compute the root."""
        return LAUNCHERS[backend].sqrtm(a.detach())

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[str, Tensor], output: Tensor) -> None:
        """Save the root."""
        _save_root(ctx, inputs[1:], output)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[None, Tensor]:
        """Solve S·X + X·S = cotangent."""
        return None, _root_backward(ctx, cotangent)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, int], backend: str, a: Tensor) -> tuple[Tensor, int]:
        """Make the mapped dimension a batch dimension."""
        return SquareRoot.apply(backend, a.movedim(in_dims[1], 0)), 0


def lyapunov(s: Tensor, c: Tensor) -> Tensor:
    """Solve SX + XS = C in float64: by matmul for CUDA tensors without a second derivative, else by the reference."""
    s, c = s.double(), c.double()
    if not s.is_cuda or torch.is_grad_enabled():
        return reference.Lyapunov.apply(s, c)
    flat = (-1, *s.shape[-2:])
    return coupled_iteration.lyapunov(s.reshape(flat), c.reshape(flat)).view(s.shape)


def sqrtm_newton_schulz(a: Tensor, max_iterations: int, tol: float | None) -> tuple[Tensor, Tensor, Tensor]:
    """Compute A^{1/2}, A^{−1/2} (..., d, d) and the last residual (...,)."""
    a = widen(a)
    tol = math.sqrt(torch.finfo(a.dtype).eps) if tol is None else tol
    if is_plain(a) or autograd.differentiated_by_func():
        return NewtonSchulz.apply(a, max_iterations, tol)
    return newton_schulz_op(a, max_iterations, tol)


class NewtonSchulz(torch.autograd.Function):
    """`newton_schulz.roots`; the residual has no derivative."""

    @staticmethod
    def forward(a: Tensor, max_iterations: int, tol: float) -> tuple[Tensor, Tensor, Tensor]:
        """Compute both roots and the residual."""
        with autocast_disabled(a):
            return newton_schulz.roots(a, max_iterations, tol)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        """Save both roots."""
        ctx.mark_non_differentiable(output[2])
        ctx.save_for_backward(*output[:2])

    @staticmethod
    def backward(ctx: Any, root_cotangent: Tensor, inverse_cotangent: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the cotangent of A from those of S = A^{1/2} and Z = S⁻¹: dZ = −Z·dS·Z, S·dS + dS·S = dA."""
        root, inverse = ctx.saved_tensors
        with autocast_disabled(root):
            cotangent = root_cotangent - inverse @ inverse_cotangent @ inverse
            return lyapunov(root, cotangent).to(root.dtype), None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], a: Tensor, *options: Any) -> tuple[Any, Any]:
        """Make the mapped dimension a batch dimension."""
        return NewtonSchulz.apply(a.movedim(in_dims[0], 0), *options), 0  # type: ignore[arg-type]


@torch.library.custom_op("fastlatent::sqrtm", mutates_args=())
def sqrtm_op(a: Tensor) -> Tensor:
    """Compute `sqrtm` as an operator."""
    return _sqrtm(a)


@torch.library.custom_op("fastlatent::sqrtm_newton_schulz", mutates_args=())
def newton_schulz_op(a: Tensor, max_iterations: int, tol: float) -> tuple[Tensor, Tensor, Tensor]:
    """Compute `sqrtm_newton_schulz` as an operator."""
    return NewtonSchulz.forward(a, max_iterations, tol)


@sqrtm_op.register_fake
def _(a: Tensor) -> Tensor:
    return a.new_empty(a.shape, dtype=accumulation_dtype(a.dtype))


@newton_schulz_op.register_fake
def _(a: Tensor, max_iterations: int, tol: float) -> tuple[Tensor, Tensor, Tensor]:
    return a.new_empty(a.shape), a.new_empty(a.shape), a.new_empty(a.shape[:-2])


def _save_root(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.dtype = inputs[0].dtype
    ctx.save_for_backward(output)


def _root_backward(ctx: Any, cotangent: Tensor) -> Tensor:
    return lyapunov(ctx.saved_tensors[0], cotangent).to(ctx.dtype)


def _both_backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
    return NewtonSchulz.backward(ctx, *cotangents)


sqrtm_op.register_autograd(_root_backward, setup_context=_save_root)
newton_schulz_op.register_autograd(_both_backward, setup_context=NewtonSchulz.setup_context)
sqrtm_op.register_vmap(lambda info, in_dims, a: (sqrtm_op(a.movedim(in_dims[0], 0)), 0))
newton_schulz_op.register_vmap(
    lambda info, in_dims, a, *options: (newton_schulz_op(a.movedim(in_dims[0], 0), *options), (0, 0, 0))
)
