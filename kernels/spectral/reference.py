"""Matrix square roots and Fréchet distances in plain PyTorch, in float64: the specification of the engine.

Differentiable as often as one likes, at repeated eigenvalues too: no derivative of an eigenvector is ever taken. The
derivative of S = A^{1/2} solves S·dS + dS·S = dA, and the derivative of that solution is another such equation.
"""

from typing import Any

import torch
from torch import Tensor


def spectrum(a: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (..., d), with 0 for what is rounding beside the largest, and eigenvectors (..., d, d)."""
    finite = a.isfinite().all(-1).all(-1)[..., None, None]
    values, vectors = torch.linalg.eigh(torch.where(finite, (a + a.mT) / 2, 0))  # LAPACK refuses NaN
    values = keep_significant(values)
    return torch.where(finite[..., 0], values, torch.nan), vectors


def keep_significant(values: Tensor) -> Tensor:
    """Eigenvalues (..., d) with 0 for those at most d·ε times the largest, which are rounding."""
    least = values.shape[-1] * torch.finfo(values.dtype).eps * values.amax(-1, keepdim=True)
    return torch.where(values <= least, 0, values)


class SquareRoot(torch.autograd.Function):
    """A^{1/2} of symmetric positive semidefinite A (..., d, d)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(a: Tensor) -> Tensor:
        values, vectors = spectrum(a)
        return vectors * values.sqrt().unsqueeze(-2) @ vectors.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Tensor:
        return Lyapunov.apply(ctx.saved_tensors[0], cotangent)


class Lyapunov(torch.autograd.Function):
    """X with SX + XS = C, for symmetric positive semidefinite S; 0 where two eigenvalues of S add up to 0."""

    generate_vmap_rule = True

    @staticmethod
    def forward(s: Tensor, c: Tensor) -> Tensor:
        values, vectors = spectrum(s)
        sums = values.unsqueeze(-1) + values.unsqueeze(-2)
        solved = (vectors.mT @ c @ vectors) / torch.where(sums == 0, torch.inf, sums)
        return vectors @ solved @ vectors.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, Tensor]:
        s, x = ctx.saved_tensors
        h = Lyapunov.apply(s, cotangent)
        return -(h @ x.mT + x.mT @ h), h


def sqrtm(a: Tensor) -> Tensor:
    """The symmetric square root of (..., d, d), of its symmetric part's positive part."""
    return SquareRoot.apply(a.double()).to(torch.promote_types(a.dtype, torch.float32))


def trace(a: Tensor) -> Tensor:
    """Tr A of (..., d, d)."""
    return a.diagonal(dim1=-2, dim2=-1).sum(-1)


def bures(a: Tensor, b: Tensor) -> Tensor:
    """Tr(A + B − 2(A^{1/2} B A^{1/2})^{1/2}) of two positive semidefinite matrices (..., d, d)."""
    value = trace(a.double()) + trace(b.double()) - 2 * _coupling(a.double(), b.double())
    return value.to(torch.promote_types(a.dtype, torch.float32))


def frechet(x: Tensor, y: Tensor, eps: float) -> Tensor:
    """‖μ₁−μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^{1/2}) of samples (..., n, d) and (..., m, d), eps·I added to both Σ."""
    (mean1, a), (mean2, b) = _standardised(x), _standardised(y)
    d = x.shape[-1]
    if eps == 0 and min(x.shape[-2], y.shape[-2]) <= d:
        root = _nuclear_norm(a @ b.mT)
    else:
        root = _coupling(_covariance(a, eps), _covariance(b, eps))
    traces = a.square().sum((-2, -1)) + b.square().sum((-2, -1)) + 2 * d * eps
    value = (mean1 - mean2).square().sum(-1) + traces - 2 * root
    return value.to(torch.promote_types(x.dtype, torch.float32))


def frechet_normal(x: Tensor, eps: float) -> Tensor:
    """‖μ‖² + Tr(Σ + I − 2Σ^{1/2}) of a sample (..., n, d), eps·I added to Σ."""
    mean, a = _standardised(x)
    n, d = x.shape[-2:]
    root = _nuclear_norm(a) if eps == 0 and n <= d else trace(SquareRoot.apply(_covariance(a, eps)))
    value = mean.square().sum(-1) + a.square().sum((-2, -1)) + d * (1 + eps) - 2 * root
    return value.to(torch.promote_types(x.dtype, torch.float32))


def _standardised(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and A = (x − mean)/√(n − 1), so that AᵀA is the covariance, in float64."""
    x = x.double()
    mean = x.mean(-2)
    return mean, (x - mean.unsqueeze(-2)) / (x.shape[-2] - 1) ** 0.5


def _covariance(a: Tensor, eps: float) -> Tensor:
    return a.mT @ a + eps * torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)


def _coupling(a: Tensor, b: Tensor) -> Tensor:
    """Tr(AB)^{1/2}."""
    root = SquareRoot.apply(a)
    return trace(SquareRoot.apply(root @ b @ root))


def _nuclear_norm(m: Tensor) -> Tensor:
    """Tr(MMᵀ)^{1/2} on the smaller side. Of centred samples its null space does not move: derivatives are exact."""
    rows, columns = m.shape[-2:]
    return trace(SquareRoot.apply(m @ m.mT if rows <= columns else m.mT @ m))
