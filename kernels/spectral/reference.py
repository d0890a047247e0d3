"""Matrix square roots and Fréchet distances in plain PyTorch, in float64: the specification of the engine.

Differentiable to any order, at repeated eigenvalues too, because no eigenvector is differentiated: the derivative of
S = A^{1/2} solves S·dS + dS·S = dA, and the derivative of that solution solves another such equation.
"""

from typing import Any

import torch
from torch import Tensor

from ..precision import accumulation_dtype


def spectrum(a: Tensor) -> tuple[Tensor, Tensor]:
    """Compute eigenvalues (..., d), 0 below the rounding of the largest, and eigenvectors (..., d, d)."""
    finite = a.isfinite().all(-1).all(-1)[..., None, None]
    values, vectors = torch.linalg.eigh(torch.where(finite, (a + a.mT) / 2, 0))  # LAPACK raises on NaN
    values = truncate_rounding(values)
    return torch.where(finite[..., 0], values, torch.nan), vectors


def truncate_rounding(values: Tensor) -> Tensor:
    """Set eigenvalues (..., d) of at most d·ε times the largest, which are rounding errors, to 0."""
    rounding = values.shape[-1] * torch.finfo(values.dtype).eps * values.amax(-1, keepdim=True)
    return torch.where(values <= rounding, 0, values)


class SquareRoot(torch.autograd.Function):
    """A^{1/2} of symmetric positive semidefinite A (..., d, d)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(a: Tensor) -> Tensor:
        """Compute the root."""
        values, vectors = spectrum(a)
        return vectors * values.sqrt().unsqueeze(-2) @ vectors.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        """Save the root."""
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Tensor:
        """Solve S·X + X·S = cotangent."""
        return Lyapunov.apply(ctx.saved_tensors[0], cotangent)


class Lyapunov(torch.autograd.Function):
    """Solution X of SX + XS = C, for symmetric positive semidefinite S; 0 where two eigenvalues of S add up to 0."""

    generate_vmap_rule = True

    @staticmethod
    def forward(s: Tensor, c: Tensor) -> Tensor:
        """Solve in the eigenvectors of S."""
        values, vectors = spectrum(s)
        sums = values.unsqueeze(-1) + values.unsqueeze(-2)
        x = (vectors.mT @ c @ vectors) / torch.where(sums == 0, torch.inf, sums)
        return vectors @ x @ vectors.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        """Save S and X."""
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, Tensor]:
        """Solve the equation of the cotangent, with the same S."""
        s, x = ctx.saved_tensors
        h = Lyapunov.apply(s, cotangent)
        return -(h @ x.mT + x.mT @ h), h


def sqrtm(a: Tensor) -> Tensor:
    """Compute the square root of (..., d, d): of the positive part of its symmetric part."""
    return SquareRoot.apply(a.double()).to(accumulation_dtype(a.dtype))


def trace(a: Tensor) -> Tensor:
    """Compute Tr A of (..., d, d)."""
    return a.diagonal(dim1=-2, dim2=-1).sum(-1)


def bures(a: Tensor, b: Tensor) -> Tensor:
    """Compute Tr(A + B − 2(A^{1/2} B A^{1/2})^{1/2}) of two positive semidefinite matrices (..., d, d)."""
    value = trace(a.double()) + trace(b.double()) - 2 * _cross_term(a.double(), b.double())
    return value.to(accumulation_dtype(a.dtype))


def frechet(x: Tensor, y: Tensor, eps: float) -> Tensor:
    """Compute ‖μ₁−μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^{1/2}) of (..., n, d) and (..., m, d), eps·I added to both Σ."""
    (mean1, a), (mean2, b) = _standardize(x), _standardize(y)
    d = x.shape[-1]
    if eps == 0 and min(x.shape[-2], y.shape[-2]) <= d:
        root = _nuclear_norm(a @ b.mT)
    else:
        root = _cross_term(_covariance(a, eps), _covariance(b, eps))
    traces = a.square().sum((-2, -1)) + b.square().sum((-2, -1)) + 2 * d * eps
    value = (mean1 - mean2).square().sum(-1) + traces - 2 * root
    return value.to(accumulation_dtype(x.dtype))


def frechet_normal(x: Tensor, eps: float) -> Tensor:
    """Compute ‖μ‖² + Tr(Σ + I − 2Σ^{1/2}) of a sample (..., n, d), eps·I added to Σ."""
    mean, a = _standardize(x)
    n, d = x.shape[-2:]
    root = _nuclear_norm(a) if eps == 0 and n <= d else trace(SquareRoot.apply(_covariance(a, eps)))
    value = mean.square().sum(-1) + a.square().sum((-2, -1)) + d * (1 + eps) - 2 * root
    return value.to(accumulation_dtype(x.dtype))


def _standardize(x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and A = (x − mean)/√(n − 1), with covariance AᵀA, in float64."""
    x = x.double()
    mean = x.mean(-2)
    return mean, (x - mean.unsqueeze(-2)) / (x.shape[-2] - 1) ** 0.5


def _covariance(a: Tensor, eps: float) -> Tensor:
    return a.mT @ a + eps * torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)


def _cross_term(a: Tensor, b: Tensor) -> Tensor:
    """Compute Tr(AB)^{1/2}."""
    root = SquareRoot.apply(a)
    return trace(SquareRoot.apply(root @ b @ root))


def _nuclear_norm(m: Tensor) -> Tensor:
    """Compute Tr(MMᵀ)^{1/2} from the smaller Gram matrix; exact derivatives: its null space is constant for samples."""
    rows, columns = m.shape[-2:]
    return trace(SquareRoot.apply(m @ m.mT if rows <= columns else m.mT @ m))
