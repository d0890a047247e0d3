"""Fréchet distances with analytic gradients by torch.linalg (LAPACK) and matmul on the CPU, for matrices of any size.

Tr(Σ₁Σ₂)^{1/2} is the nuclear norm of R₁R₂ᵀ for any factors Σ = RᵀR, here Cholesky factors or the samples themselves.
With W = R₂Σ₁R₂ᵀ = V S² Vᵀ and G = VᵀR₂ its gradients are ½A and ½B,

    A = Σ₁⁻¹ # Σ₂ = Gᵀ S⁻¹ G,   B = Σ₂⁻¹ # Σ₁ = (GΣ₁)ᵀ S⁻³ (GΣ₁),

so one Cholesky factor and one eigendecomposition give value and gradients. Directions in which a covariance is
singular add nothing to A and B. By the route "newton_schulz" the root of W comes from matmul instead of the
eigendecomposition, which follows only if the iteration does not converge.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..precision import autocast_disabled, widen
from . import newton_schulz, reference
from .reference import trace, truncate_rounding

CrossTerm = tuple[Any, Any, Any]  # Tr(Σ₁Σ₂)^{1/2}, then two maps or transported samples, None where not needed

MAX_ITERATIONS = 40
WELL_CONDITIONED = 1e-3  # smallest/largest eigenvalue of W above which its root is computed in float32


def unsupported_reason(x: Tensor) -> str | None:
    """Return why LAPACK does not support inputs like x; None if it does."""
    return None if x.device.type == "cpu" else f"the tensors are on {x.device}"


def bures(a: Tensor, b: Tensor, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Compute Tr(A + B − 2(AB)^{1/2}) and its gradients."""
    with autocast_disabled(a):
        a, b = widen(a.detach()), widen(b.detach())
        root, *maps = cross_term(a, b, route, needs_grad)
        identity = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        value = trace(a) + trace(b) - 2 * root
        return value, *(value.new_empty(0) if m is None else identity - m for m in maps)


def frechet(x: Tensor, y: Tensor, eps: float, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Compute ‖μ₁−μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^{1/2}) and its gradients with respect to the samples."""
    with autocast_disabled(x):
        (mean1, x), (mean2, y) = center(x), center(y)
        shift = mean1 - mean2
        if route == "gram":
            root, *transported = _gram_cross_term(x, y, needs_grad)
        else:
            root, *transported = _sample_cross_term(x, y, eps, route, needs_grad)
        traces = mean_square(x) + mean_square(y) + 2 * x.shape[-1] * eps
        value = shift.square().sum(-1) + traces - 2 * root
        gradients = [
            value.new_empty(0) if t is None else sample_gradient(z, t, s)
            for z, t, s in zip((x, y), transported, (shift, -shift), strict=True)
        ]
        return value, *gradients


def frechet_normal(x: Tensor, eps: float, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Compute ‖μ‖² + Tr(Σ + I − 2Σ^{1/2}) and its gradient with respect to the sample."""
    with autocast_disabled(x):
        mean, x = center(x)
        n, d = x.shape[-2:]
        gram = route == "gram"
        w = _outer(x, x) / (n - 1) if gram else covariance(x, eps)
        root, inverse = _to_dtype(root_trace(w, route, needs_grad[0]), x.dtype)
        value = mean.square().sum(-1) + mean_square(x) + d * (1 + eps) - 2 * root
        if not needs_grad[0]:
            return value, value.new_empty(0)
        return value, sample_gradient(x, inverse @ x if gram else x @ inverse, mean)


def cross_term(a: Tensor, b: Tensor, route: str, needs_grad: Sequence[bool]) -> CrossTerm:
    """Compute Tr(AB)^{1/2}, and the maps A⁻¹ # B and B⁻¹ # A where they are needed."""
    factor, info = torch.linalg.cholesky_ex(b)
    if bool(info.any()) or not bool(factor.isfinite().all()):
        values, vectors = reference.spectrum(b.double())
        factor = (vectors * values.sqrt().unsqueeze(-2)).to(b.dtype)
    w = factor.mT @ a @ factor
    if route == "newton_schulz":
        root, inverse, residual = newton_schulz.roots(w, MAX_ITERATIONS, None)
        if newton_schulz.converged(residual, w.dtype):
            transport = factor @ inverse @ factor.mT
            first = transport if needs_grad[0] else None
            return trace(root), first, torch.linalg.inv(transport) if needs_grad[1] else None
    values, vectors = _spectrum(w, any(needs_grad))
    if _ill_conditioned(values):
        return _to_dtype(cross_term(a.double(), b.double(), route, needs_grad), a.dtype)
    s = values.sqrt()
    return s.sum(-1), *_maps(factor @ vectors if any(needs_grad) else None, s, a, needs_grad)


def root_trace(w: Tensor, route: str, needs_inverse: bool) -> tuple[Tensor, Tensor | None]:
    """Compute Tr W^{1/2}, and W^{−1/2} if it is needed."""
    if route == "newton_schulz":
        root, inverse, residual = newton_schulz.roots(w, MAX_ITERATIONS, None)
        if newton_schulz.converged(residual, w.dtype):
            return trace(root), inverse
    values, vectors = _spectrum(w, needs_inverse)
    if _ill_conditioned(values):
        return _to_dtype(root_trace(w.double(), route, needs_inverse), w.dtype)
    s = values.sqrt()
    return s.sum(-1), (vectors * _inverse(s)) @ vectors.mT if needs_inverse else None


def _ill_conditioned(values: Tensor) -> bool:
    """Return whether the root of float32 matrices with these eigenvalues (..., d) must be computed in float64."""
    return values.dtype == torch.float32 and bool((values[..., :1] < WELL_CONDITIONED * values[..., -1:]).any())


def _maps(g: Tensor | None, s: Tensor, a: Tensor, needs_grad: Sequence[bool]) -> tuple[Tensor | None, Tensor | None]:
    """Compute A⁻¹ # B and B⁻¹ # A from Gᵀ = FV (B = FFᵀ) and the roots s of W."""
    if g is None:
        return None, None
    inverse = _inverse(s)
    first = (g * inverse) @ g.mT if needs_grad[0] else None
    if not needs_grad[1]:
        return first, None
    a_g = a @ g
    return first, (a_g * inverse**3) @ a_g.mT


def _sample_cross_term(x: Tensor, y: Tensor, eps: float, route: str, needs_grad: Sequence[bool]) -> CrossTerm:
    """Compute Tr(Σ₁Σ₂)^{1/2}, and both centered samples transported by their maps."""
    root, first, second = cross_term(covariance(x, eps), covariance(y, eps), route, needs_grad)
    return root, x @ first if needs_grad[0] else None, y @ second if needs_grad[1] else None


def _gram_cross_term(x: Tensor, y: Tensor, needs_grad: Sequence[bool]) -> CrossTerm:
    """Compute the same from M = XYᵀ/√((n−1)(m−1)), whose polar factor U transports X to UY and Y to UᵀX."""
    if x.shape[-2] < y.shape[-2]:
        root, second, first = _gram_cross_term(y, x, (needs_grad[1], needs_grad[0]))
        return root, first, second
    ratio = ((x.shape[-2] - 1) / (y.shape[-2] - 1)) ** 0.5
    m = _outer(x, y) / ((x.shape[-2] - 1) * (y.shape[-2] - 1)) ** 0.5
    root, inverse = root_trace(m.mT @ m, "eigen", any(needs_grad))
    if inverse is None:
        return root.to(x.dtype), None, None
    root, polar = _to_dtype((root, m @ inverse), x.dtype)
    first = polar @ y * ratio if needs_grad[0] else None
    return root, first, polar.mT @ x / ratio if needs_grad[1] else None


def _spectrum(w: Tensor, needs_vectors: bool) -> tuple[Tensor, Tensor]:
    """Compute eigenvalues, 0 below rounding, and eigenvectors if needed; NaN for matrices that are not finite."""
    if not bool(w.isfinite().all()):
        return reference.spectrum(w)
    w = (w + w.mT) / 2
    if not needs_vectors:
        return truncate_rounding(torch.linalg.eigvalsh(w)), w
    values, vectors = torch.linalg.eigh(w)
    return truncate_rounding(values), vectors


def _inverse(s: Tensor) -> Tensor:
    """Compute 1/s, and 0 for 0, as a row (..., 1, d)."""
    return torch.where(s == 0, 0, 1 / s).unsqueeze(-2)


def center(x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean (..., d) and the centered sample (..., n, d), in at least float32."""
    x = widen(x.detach())
    mean = x.mean(-2)
    return mean, x - mean.unsqueeze(-2)


def covariance(x: Tensor, eps: float) -> Tensor:
    """Compute Σ + eps·I of a centered sample."""
    sigma = x.mT @ x / (x.shape[-2] - 1)
    if eps:
        sigma.diagonal(dim1=-2, dim2=-1).add_(eps)
    return sigma


def mean_square(x: Tensor) -> Tensor:
    """Compute Tr Σ of a centered sample."""
    return x.square().sum((-2, -1)) / (x.shape[-2] - 1)


def sample_gradient(x: Tensor, transported: Tensor, shift: Tensor) -> Tensor:
    """Compute the gradient of ‖shift‖² + Tr Σ − 2 Tr(ΣΣ')^{1/2} from a centered sample and its transport."""
    n = x.shape[-2]
    return torch.sub(x, transported).mul_(2 / (n - 1)).add_(shift.unsqueeze(-2), alpha=2 / n)


def _outer(x: Tensor, y: Tensor) -> Tensor:
    """Compute XYᵀ of centered samples in float64: it is singular, and float32 would leave the root of its rounding."""
    return x.double() @ y.double().mT


def _to_dtype(tensors: Sequence[Tensor | None], dtype: torch.dtype) -> Any:
    return tuple(None if t is None else t.to(dtype) for t in tensors)
