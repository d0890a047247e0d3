"""Sliced distances in plain PyTorch: the specification of the engine, on any device, differentiable twice."""

import functools

import torch
from torch import Tensor

from ..precision import widen


def sliced(x: Tensor, y: Tensor, projections: Tensor, p: float, normal: bool) -> Tensor:
    """Compute (1/L) Σ_l W_p^p(θ_lᵀx, θ_lᵀy).

    Args:
        x: sample (..., n, d), computed in at least float32.
        y: sample (..., m, d).
        projections: directions θ (..., d, L).
        p: order, ≥ 1.
        normal: compute the distance to N(0, 1) instead, p = 2. y (..., n, 1) holds the means of N(0, 1) between its
            quantiles (i−1)/n and i/n, shared by all directions.

    Returns:
        (...,).
    """
    if not normal:
        return per_projection(x, y, projections, p).mean(-1)
    u = widen(x) @ widen(projections)
    within_intervals = 1 - y.square().mean((-2, -1))  # the rest of the variance of N(0, 1)
    return wasserstein(u, y.expand_as(u), p).mean(-1) + within_intervals


def per_projection(x: Tensor, y: Tensor, projections: Tensor, p: float) -> Tensor:
    """Compute W_p^p(θ_lᵀx, θ_lᵀy) for each direction: (..., L)."""
    projections = widen(projections)
    return wasserstein(widen(x) @ projections, widen(y) @ projections, p)


def wasserstein(
    u: Tensor, v: Tensor, p: float, u_weights: Tensor | None = None, v_weights: Tensor | None = None
) -> Tensor:
    """Compute W_p^p between the columns of u and v.

    The optimal coupling on a line pairs equal quantiles. Ties are ordered by index: the gradient is that of this
    coupling, an element of the subgradient.

    Args:
        u: columns (..., n, L).
        v: columns (..., m, L).
        p: order, ≥ 1.
        u_weights: masses (..., n), ≥ 0, normalized here; None: equal masses.
        v_weights: masses (..., m), likewise.

    Returns:
        (..., L).
    """
    n, m = u.shape[-2], v.shape[-2]
    u, u_order = u.sort(dim=-2, stable=True)
    v, v_order = v.sort(dim=-2, stable=True)
    if u_weights is None and v_weights is None and n == m:
        return _power(u - v, p).mean(-2)
    u_levels = _levels(u, u_order, u_weights, m)
    v_levels = _levels(v, v_order, v_weights, n)
    levels, order = torch.cat([u_levels, v_levels], dim=-2).sort(dim=-2, stable=True)
    masses = levels.diff(dim=-2, prepend=torch.zeros_like(levels[..., :1, :]))
    # The mass below a level is that of the points whose levels are next in the sorted order. Of equal levels that of u
    # is first, so that the coupling stays the same when weights change by little: its derivative is a subgradient.
    of_u = order < n
    i, j = ((of_side.cumsum(-2) - of_side.int()).clamp(max=size - 1) for of_side, size in ((of_u, n), (~of_u, m)))
    return ((masses / (n * m)).to(u.dtype) * _power(u.gather(-2, i) - v.gather(-2, j), p)).sum(-2)


def _levels(u: Tensor, order: Tensor, weights: Tensor | None, m: int) -> Tensor:
    """Compute the cumulative masses of the sorted columns (..., n, L) times n·m, in float64.

    In these units equal masses are integers, so that levels of the two samples coincide exactly.
    """
    n = u.shape[-2]
    if weights is None:
        equal = torch.arange(1, n + 1, device=u.device, dtype=torch.float64) * m
        return equal.unsqueeze(-1).expand(u.shape)
    masses = weights.to(torch.float64).unsqueeze(-1).expand(u.shape).gather(-2, order)
    cumulative = masses.cumsum(-2)
    return cumulative / cumulative[..., -1:, :] * (n * m)


def _power(difference: Tensor, p: float) -> Tensor:
    """Compute |difference|^p."""
    return difference.square() if p == 2 else difference.abs().pow(p)


def epps_pulley(x: Tensor, projections: Tensor, n_points: int, t_max: float) -> Tensor:
    """Compute (1/L) Σ_l n ∫ |ecf_l(t) − e^(−t²/2)|² e^(−t²/2) dt over [−t_max, t_max], by the trapezoid rule.

    ecf_l is the empirical characteristic function of the projections θ_lᵀx.

    Args:
        x: sample (..., n, d), computed in at least float32.
        projections: directions θ (..., d, L).
        n_points: points of the quadrature, ends included.
        t_max: half width of the quadrature interval.

    Returns:
        (...,).
    """
    u = x.to(projections.dtype) @ projections
    points, weights = quadrature(n_points, t_max)
    value = u.new_zeros(())
    for t, weight in zip(points, weights, strict=True):
        normal = torch.exp(u.new_tensor(-t * t / 2))
        real, imaginary = torch.cos(t * u).mean(-2) - normal, torch.sin(t * u).mean(-2)
        value = value + weight * normal * (real.square() + imaginary.square())
    return x.shape[-2] * value.mean(-1)


@functools.lru_cache(maxsize=32)
def quadrature(n_points: int, t_max: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the points ≥ 0 of the trapezoid rule for an even function on [−t_max, t_max], and their weights."""
    step = 2 * t_max / (n_points - 1)
    half = n_points // 2
    points = (*(t_max - k * step for k in reversed(range(half))),)
    weights = (*[2 * step] * (half - 1), step)
    return ((0.0, *points), (step, *weights)) if n_points % 2 else (points, weights)
