"""Pairwise sums in plain PyTorch: the specification of the engine, on any device, differentiable twice."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..precision import accumulation_dtype, widen


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Compute ‖xᵢ − yⱼ‖², (..., n, m): exact for duplicates and far from the origin, without n×m×d memory.

    The derivatives are those of ‖a‖² + ‖b‖² − 2a·b; the value is computed from the differences, because that
    expression suffers from cancellation.
    """
    origin = x.detach().mean(-2, keepdim=True)
    a, b = x - origin, y - origin
    expanded = a.square().sum(-1).unsqueeze(-1) + b.square().sum(-1).unsqueeze(-2) - 2 * a @ b.mT
    exact = torch.cdist(x.detach(), y.detach(), compute_mode="donot_use_mm_for_euclid_dist").square()
    return expanded + (exact - expanded).detach()


def distance(s: Tensor) -> Tensor:
    """Compute √s, with gradient 0 (instead of ∞) at s = 0: the subgradient of smallest norm."""
    zero = s == 0
    return torch.where(zero, 0, torch.where(zero, 1, s).sqrt())


def imq(s: Tensor, constants: Sequence[float]) -> Tensor:
    """Compute Σ_c C_c / (C_c + s)."""
    return torch.stack([c / (c + s) for c in constants]).sum(0)


def gaussian(s: Tensor, bandwidths: Sequence[float]) -> Tensor:
    """Compute Σ_b exp(−s / (2b²))."""
    return torch.stack([torch.exp(s / (-2 * b * b)) for b in bandwidths]).sum(0)


def laplace(s: Tensor, bandwidths: Sequence[float]) -> Tensor:
    """Compute Σ_b exp(−√s / b)."""
    r = distance(s)
    return torch.stack([torch.exp(r / -b) for b in bandwidths]).sum(0)


def rational_quadratic(s: Tensor, alphas: Sequence[float]) -> Tensor:
    """Compute Σ_α (1 + s / (2α))^(−α)."""
    return torch.stack([torch.exp(-a * torch.log1p(s / (2 * a))) for a in alphas]).sum(0)


def energy(s: Tensor, _: Sequence[float]) -> Tensor:
    """Compute −√s."""
    return -distance(s)


def inverse_root(s: Tensor, parameters: Sequence[float]) -> Tensor:
    """Compute (1 + k·s)^(−1/2)."""
    (k,) = parameters
    return (1 + k * s).rsqrt()


def kummer(s: Tensor, parameters: Sequence[float]) -> Tensor:
    """Compute ₁F₁(1/2; d/2; −c·s) = √r Σ a_k T_k(2r−1), r = 1/(1 + rate·c·s): see kummer.py for the series."""
    c, rate, *series = parameters
    a = series[: len(series) // 2]
    r = 1 / (1 + rate * c * s)
    t = 4 * r - 2
    b1 = b2 = torch.zeros_like(s)
    for coefficient in reversed(a[1:]):  # Clenshaw's recurrence
        b1, b2 = t * b1 - b2 + coefficient, b1
    return r.sqrt() * (t / 2 * b1 - b2 + a[0])


def polynomial(inner: Tensor, parameters: Sequence[float]) -> Tensor:
    """Compute (γ⟨x, y⟩ + c)^p of the inner product."""
    gamma, offset, degree = parameters
    return (gamma * inner + offset) ** int(degree)


# Radial profiles are functions of the squared distance s and of their parameters.
PROFILES: dict[str, Callable[[Tensor, Sequence[float]], Tensor]] = {
    "imq": imq,
    "gaussian": gaussian,
    "laplace": laplace,
    "rational_quadratic": rational_quadratic,
    "energy": energy,
    "inverse_root": inverse_root,
    "kummer": kummer,
}


def pairwise_sum(
    x: Tensor,
    y: Tensor,
    profile: str,
    parameters: Sequence[float],
    weights: Sequence[float],
    diagonal: bool = False,
) -> Tensor:
    """Compute w_xx Σ_{i≠j} φ(xᵢ, xⱼ) + w_xy Σ_ij φ(xᵢ, yⱼ) + w_yy Σ_{i≠j} φ(yᵢ, yⱼ).

    Args:
        x: sample (..., n, d), computed in at least float32 (polynomials in float64).
        y: sample (..., m, d).
        profile: name in `PROFILES`, φ(a, b) = φ(‖a−b‖²); or "polynomial", φ(a, b) = (γ⟨a, b⟩ + c)^p.
        parameters: parameters of the profile.
        weights: (w_xx, w_xy, w_yy); a block of weight 0 is not computed.
        diagonal: whether the pairs i = j are included.

    Returns:
        (...,) in float64 for float64 input, else in float32.
    """
    dtype = accumulation_dtype(x.dtype)
    computation_dtype = torch.float64 if profile == "polynomial" else dtype
    x, y = x.to(computation_dtype), y.to(computation_dtype)
    value = x.new_zeros(x.shape[:-2])
    for weight, a, b in zip(weights, (x, x, y), (x, y, y), strict=True):
        if weight:
            if profile == "polynomial":
                phi = polynomial(a @ b.mT, parameters)
            else:
                phi = PROFILES[profile](squared_distances(a, b), parameters)
            if a is b and not (diagonal and profile == "polynomial"):
                # radial: the constant φ(0), without its slope, whose rounding errors would hide small gradients
                phi0 = PROFILES[profile](x.new_zeros(()), parameters) if diagonal else 0
                phi = torch.where(torch.eye(a.shape[-2], dtype=torch.bool, device=a.device), phi0, phi)
            value = value + weight * phi.sum((-2, -1))
    return value.to(dtype)


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """Return for each point of x (..., n, d) the index of the nearest of y (..., m, d), the lowest of ties (..., n)."""
    return torch.cdist(widen(x), widen(y), compute_mode="donot_use_mm_for_euclid_dist").argmin(-1)
