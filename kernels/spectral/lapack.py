"""Fréchet distances with analytic gradients, over torch's LAPACK and matrix products: any size, any device.

Tr(Σ₁Σ₂)^{1/2} is the nuclear norm of R₁R₂ᵀ for any factors Σ = RᵀR, here Cholesky's or the samples themselves; with
W = R₂Σ₁R₂ᵀ = V S² Vᵀ and G = VᵀR₂ its gradients are ½A and ½B,
    A = Σ₁⁻¹ # Σ₂ = Gᵀ S⁻¹ G,   B = Σ₂⁻¹ # Σ₁ = (GΣ₁)ᵀ S⁻³ (GΣ₁),
so that one Cholesky factor and one eigendecomposition give value and gradients. Directions in which a covariance is
singular add nothing to A and B.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..autograd import full_precision
from . import newton_schulz, reference
from .reference import keep_significant, trace

Coupling = tuple[Any, Any, Any]  # Tr(Σ₁Σ₂)^{1/2}, and two maps or carried samples, None where not needed

MAX_ITERATIONS = 40
WELL_CONDITIONED = 1e-3  # least/greatest eigenvalue of W down to which float32 is trusted with its root


def bures(a: Tensor, b: Tensor, route: str, needs: Sequence[bool]) -> tuple[Tensor, ...]:
    """Tr(A + B − 2(AB)^{1/2}) and its gradients."""
    with full_precision((a,)):
        a, b = _widened(a), _widened(b)
        root, *maps = coupling(a, b, route, needs)
        identity = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        value = trace(a) + trace(b) - 2 * root
        return value, *(value.new_empty(0) if m is None else identity - m for m in maps)


def frechet(x: Tensor, y: Tensor, eps: float, route: str, needs: Sequence[bool]) -> tuple[Tensor, ...]:
    """‖μ₁−μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^{1/2}) and its gradients to the samples."""
    with full_precision((x,)):
        (mean1, x), (mean2, y) = centred(x), centred(y)
        shift = mean1 - mean2
        if route == "gram":
            root, *moved = _gram_coupling(x, y, needs)
        else:
            root, *moved = _sample_coupling(x, y, eps, route, needs)
        traces = mean_square(x) + mean_square(y) + 2 * x.shape[-1] * eps
        value = shift.square().sum(-1) + traces - 2 * root
        gradients = [
            value.new_empty(0) if m is None else to_sample(z, m, s)
            for z, m, s in zip((x, y), moved, (shift, -shift), strict=True)
        ]
        return value, *gradients


def frechet_normal(x: Tensor, eps: float, route: str, needs: Sequence[bool]) -> tuple[Tensor, ...]:
    """‖μ‖² + Tr(Σ + I − 2Σ^{1/2}) and its gradient to the sample."""
    with full_precision((x,)):
        mean, x = centred(x)
        n, d = x.shape[-2:]
        gram = route == "gram"
        w = _outer(x, x) / (n - 1) if gram else covariance(x, eps)
        root, inverse = _narrowed(root_trace(w, route, needs[0]), x.dtype)
        value = mean.square().sum(-1) + mean_square(x) + d * (1 + eps) - 2 * root
        if not needs[0]:
            return value, value.new_empty(0)
        return value, to_sample(x, inverse @ x if gram else x @ inverse, mean)


def coupling(a: Tensor, b: Tensor, route: str, needs: Sequence[bool]) -> Coupling:
    """Tr(AB)^{1/2}, and the maps A⁻¹ # B and B⁻¹ # A where they are needed."""
    factor, info = torch.linalg.cholesky_ex(b)
    if bool(info.any()) or not bool(factor.isfinite().all()):
        values, vectors = reference.spectrum(b.double())
        factor = (vectors * values.sqrt().unsqueeze(-2)).to(b.dtype)
    w = factor.mT @ a @ factor
    if route == "newton_schulz":
        root, inverse, residual = newton_schulz.roots(w, MAX_ITERATIONS, None)
        if newton_schulz.converged(residual, w.dtype):
            transport = factor @ inverse @ factor.mT
            return trace(root), transport if needs[0] else None, torch.linalg.inv(transport) if needs[1] else None
    values, vectors = _spectrum(w, any(needs))
    if a.dtype == torch.float32 and bool((values[..., :1] < WELL_CONDITIONED * values[..., -1:]).any()):
        return _narrowed(coupling(a.double(), b.double(), route, needs), a.dtype)
    s = values.sqrt()
    return s.sum(-1), *_maps(factor @ vectors if any(needs) else None, s, a, needs)


def root_trace(w: Tensor, route: str, need: bool) -> tuple[Tensor, Tensor | None]:
    """Tr W^{1/2}, and W^{−1/2} if it is needed."""
    if route == "newton_schulz":
        root, inverse, residual = newton_schulz.roots(w, MAX_ITERATIONS, None)
        if newton_schulz.converged(residual, w.dtype):
            return trace(root), inverse
    values, vectors = _spectrum(w, need)
    if w.dtype == torch.float32 and bool((values[..., :1] < WELL_CONDITIONED * values[..., -1:]).any()):
        return _narrowed(root_trace(w.double(), route, need), w.dtype)
    s = values.sqrt()
    return s.sum(-1), (vectors * _inverse(s)) @ vectors.mT if need else None


def _maps(g: Tensor | None, s: Tensor, a: Tensor, needs: Sequence[bool]) -> tuple[Tensor | None, Tensor | None]:
    """A⁻¹ # B and B⁻¹ # A from Gᵀ = FV (B = FFᵀ) and the roots s of W."""
    if g is None:
        return None, None
    inverse = _inverse(s)
    first = (g * inverse) @ g.mT if needs[0] else None
    if not needs[1]:
        return first, None
    carried = a @ g
    return first, (carried * inverse**3) @ carried.mT


def _sample_coupling(x: Tensor, y: Tensor, eps: float, route: str, needs: Sequence[bool]) -> Coupling:
    """Tr(Σ₁Σ₂)^{1/2}, and both centred samples carried over by their maps."""
    root, first, second = coupling(covariance(x, eps), covariance(y, eps), route, needs)
    return root, x @ first if needs[0] else None, y @ second if needs[1] else None


def _gram_coupling(x: Tensor, y: Tensor, needs: Sequence[bool]) -> Coupling:
    """The same from M = XYᵀ/√((n−1)(m−1)): its polar factor U carries X to UY, Y to UᵀX."""
    if x.shape[-2] < y.shape[-2]:
        root, second, first = _gram_coupling(y, x, (needs[1], needs[0]))
        return root, first, second
    spread = ((x.shape[-2] - 1) / (y.shape[-2] - 1)) ** 0.5
    m = _outer(x, y) / ((x.shape[-2] - 1) * (y.shape[-2] - 1)) ** 0.5
    root, inverse = root_trace(m.mT @ m, "eigen", any(needs))
    if inverse is None:
        return root.to(x.dtype), None, None
    root, polar = _narrowed((root, m @ inverse), x.dtype)
    return root, polar @ y * spread if needs[0] else None, polar.mT @ x / spread if needs[1] else None


def _spectrum(w: Tensor, vectors: bool) -> tuple[Tensor, Tensor]:
    """Eigenvalues, rounding set to 0, and eigenvectors if wanted; NaN for what is not finite."""
    if not bool(w.isfinite().all()):
        return reference.spectrum(w)
    w = (w + w.mT) / 2
    if not vectors:
        return keep_significant(torch.linalg.eigvalsh(w)), w
    values, basis = torch.linalg.eigh(w)
    return keep_significant(values), basis


def _inverse(s: Tensor) -> Tensor:
    """1/s, and 0 for 0, as a row (..., 1, d)."""
    return torch.where(s == 0, 0, 1 / s).unsqueeze(-2)


def _widened(x: Tensor) -> Tensor:
    return x.detach().to(torch.promote_types(x.dtype, torch.float32))


def centred(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (..., d), and the sample (..., n, d) without it, in at least float32."""
    x = _widened(x)
    mean = x.mean(-2)
    return mean, x - mean.unsqueeze(-2)


def covariance(x: Tensor, eps: float) -> Tensor:
    """Σ + eps·I of a centred sample."""
    sigma = x.mT @ x / (x.shape[-2] - 1)
    if eps:
        sigma.diagonal(dim1=-2, dim2=-1).add_(eps)
    return sigma


def mean_square(x: Tensor) -> Tensor:
    """Tr Σ of a centred sample."""
    return x.square().sum((-2, -1)) / (x.shape[-2] - 1)


def to_sample(x: Tensor, moved: Tensor, shift: Tensor) -> Tensor:
    """Gradient of ‖shift‖² + Tr Σ − 2 Tr(ΣΣ')^{1/2}, for a centred sample and what its map makes of it."""
    n = x.shape[-2]
    return torch.sub(x, moved).mul_(2 / (n - 1)).add_(shift.unsqueeze(-2), alpha=2 / n)


def _outer(x: Tensor, y: Tensor) -> Tensor:
    """XYᵀ of centred samples in float64: it is always singular, and the square of float32's rounding would show."""
    return x.double() @ y.double().mT


def _narrowed(found: Sequence[Tensor | None], dtype: torch.dtype) -> Any:
    return tuple(None if f is None else f.to(dtype) for f in found)
