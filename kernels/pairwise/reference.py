"""Pairwise sums in plain PyTorch: the specification of the engine, on any device, differentiable twice."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖xᵢ − yⱼ‖², (..., n, m): exact for duplicates and far from the origin, without n×m×d memory.

    Its derivatives are those of ‖a‖² + ‖b‖² − 2a·b; its value, where that expression cancels, is taken from the
    differences themselves.
    """
    origin = x.detach().mean(-2, keepdim=True)
    a, b = x - origin, y - origin
    expanded = a.square().sum(-1).unsqueeze(-1) + b.square().sum(-1).unsqueeze(-2) - 2 * a @ b.mT
    exact = torch.cdist(x.detach(), y.detach(), compute_mode="donot_use_mm_for_euclid_dist").square()
    return expanded + (exact - expanded).detach()


def distance(s: Tensor) -> Tensor:
    """√s, with gradient 0 (instead of ∞) at s = 0: the sub-gradient of smallest norm."""
    positive = s > 0
    return torch.where(positive, torch.where(positive, s, 1).sqrt(), 0)


def imq(s: Tensor, constants: Sequence[float]) -> Tensor:
    """Σ_c C_c / (C_c + s)."""
    return torch.stack([c / (c + s) for c in constants]).sum(0)


def gaussian(s: Tensor, bandwidths: Sequence[float]) -> Tensor:
    """Σ_b exp(−s / (2b²))."""
    return torch.stack([torch.exp(s / (-2 * b * b)) for b in bandwidths]).sum(0)


def laplace(s: Tensor, bandwidths: Sequence[float]) -> Tensor:
    """Σ_b exp(−√s / b)."""
    r = distance(s)
    return torch.stack([torch.exp(r / -b) for b in bandwidths]).sum(0)


def rational_quadratic(s: Tensor, alphas: Sequence[float]) -> Tensor:
    """Σ_α (1 + s / (2α))^(−α)."""
    return torch.stack([torch.exp(-a * torch.log1p(s / (2 * a))) for a in alphas]).sum(0)


def energy(s: Tensor, _: Sequence[float]) -> Tensor:
    """−√s."""
    return -distance(s)


# Profiles are functions of the squared distance s and of their parameters.
PROFILES: dict[str, Callable[[Tensor, Sequence[float]], Tensor]] = {
    "imq": imq,
    "gaussian": gaussian,
    "laplace": laplace,
    "rational_quadratic": rational_quadratic,
    "energy": energy,
}


def form(x: Tensor, y: Tensor, profile: str, parameters: Sequence[float], weights: Sequence[float]) -> Tensor:
    """w_xx Σ_{i≠j} φ(‖xᵢ−xⱼ‖²) + w_xy Σ_ij φ(‖xᵢ−yⱼ‖²) + w_yy Σ_{i≠j} φ(‖yᵢ−yⱼ‖²).

    Args:
        x, y: samples (..., n, d) and (..., m, d), computed in at least float32.
        profile: name in `PROFILES`.
        parameters: the profile's.
        weights: (w_xx, w_xy, w_yy); a block of weight 0 is not computed.
    """
    accumulate = torch.promote_types(x.dtype, torch.float32)
    x, y = x.to(accumulate), y.to(accumulate)
    value = x.new_zeros(x.shape[:-2])
    for weight, a, b in zip(weights, (x, x, y), (x, y, y), strict=True):
        if weight:
            phi = PROFILES[profile](squared_distances(a, b), parameters)
            if a is b:
                phi = phi.masked_fill(torch.eye(a.shape[-2], dtype=torch.bool, device=a.device), 0)
            value = value + weight * phi.sum((-2, -1))
    return value
