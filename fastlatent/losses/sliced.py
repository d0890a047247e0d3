"""Sliced Wasserstein distances (Bonneel et al. 2015, "Sliced and Radon Wasserstein Barycenters of Measures")."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.backend import select_backend
from ..kernels.precision import autocast_disabled, widen
from ..kernels.sliced import SlicedDistance, reference
from ..kernels.sliced.quantiles import normal_quantile_means
from ..utils import checks
from ..utils.distributed import all_gather
from . import directions

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

ProjectionFunction = Callable[[Tensor], Tensor]


def sliced_wasserstein(
    x: Tensor,
    y: Tensor,
    *,
    n_projections: int = 128,
    p: float = 2,
    projections: Tensor | ProjectionFunction | None = None,
    orthogonal: bool = False,
    x_weights: Tensor | None = None,
    y_weights: Tensor | None = None,
    generator: torch.Generator | None = None,
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Compute the p-th power of the sliced Wasserstein distance between two samples.

    (1/L) Σ_l W_p^p(θ_lᵀx, θ_lᵀy); for n = m this is (1/L) Σ_l (1/n) Σᵢ |(θ_lᵀx)₍ᵢ₎ − (θ_lᵀy)₍ᵢ₎|^p. Ties are sorted by
    index; the gradient for this pairing is a subgradient.

    Args:
        x: sample (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        y: sample (..., m, d).
        n_projections: number L of random directions, ≥ 1.
        p: order, ≥ 1.
        projections: directions (d, L) with unit columns; None: random ones; or a function from (..., n, d) to
            (..., n, L), for the generalized sliced distance of Kolouri et al. 2019.
        orthogonal: draw the directions as orthonormal bases.
        x_weights: weights (n,) or (..., n) of the points of x, ≥ 0, normalized here; None: equal weights.
        y_weights: weights (m,) or (..., m) of the points of y.
        generator: random generator of the directions; None: torch's default.
        group: torch.distributed group, the union of whose ranks' batches is the sample; None: this batch only.

    Returns:
        (...,) in the dtype of x, float32 for half precision. No root is taken.

    Raises:
        TypeError, ValueError: for arguments of other types, shapes or ranges.

    Source: Bonneel et al. 2015, equation (10); as an autoencoder's loss Kolouri et al. 2019, "Sliced Wasserstein
    Auto-Encoders", equation (14).
    """
    p = checks.at_least("p", p, 1)
    checks.samples(x, y)
    checks.weights("x_weights", x_weights, x)
    checks.weights("y_weights", y_weights, y)
    if group is not None:
        x_weights, y_weights = _gather_weights(x, x_weights, group), _gather_weights(y, y_weights, group)
        x, y = all_gather(x, group), all_gather(y, group)
    if callable(projections) and not isinstance(projections, Tensor):
        return _reference_distance(projections(x), projections(y), p, x_weights, y_weights, "generalized slices")
    theta = directions.resolve(x, n_projections, projections, generator, group, orthogonal)
    if x_weights is None and y_weights is None:
        return SlicedDistance(p)(x, y, theta)
    with autocast_disabled(x):
        u, v = x.to(theta.dtype) @ theta, y.to(theta.dtype) @ theta
    return _reference_distance(u, v, p, x_weights, y_weights, "weights")


def _reference_distance(
    u: Tensor, v: Tensor, p: float, u_weights: Tensor | None, v_weights: Tensor | None, option: str
) -> Tensor:
    unsupported = dict.fromkeys(("triton", "cuda", "cpu"), f"it does not support {option}")
    select_backend("sliced", {**unsupported, "reference": None})
    with autocast_disabled(u):
        return reference.wasserstein(widen(u), widen(v), p, u_weights, v_weights).mean(-1)


def _gather_weights(x: Tensor, weights: Tensor | None, group: "ProcessGroup") -> Tensor | None:
    return None if weights is None else all_gather(weights.expand(x.shape[:-1]).unsqueeze(-1), group).squeeze(-1)


def sliced_wasserstein_normal(
    x: Tensor,
    *,
    n_projections: int = 128,
    projections: Tensor | None = None,
    generator: torch.Generator | None = None,
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Compute the sliced squared 2-Wasserstein distance between a sample and N(0, I), without a sample of N(0, I).

    For each projection, W₂² = (1/n) Σᵢ (x₍ᵢ₎ − qᵢ)² + 1 − (1/n) Σᵢ qᵢ², qᵢ = n [ϕ(Φ⁻¹((i−1)/n)) − ϕ(Φ⁻¹(i/n))], the
    mean of N(0, 1) between its quantiles (i−1)/n and i/n.

    Args:
        x: sample (..., n, d).
        n_projections: see `sliced_wasserstein`.
        projections: directions (d, L) with unit columns; None: random ones.
        generator: see `sliced_wasserstein`.
        group: see `sliced_wasserstein`.

    Returns:
        See `sliced_wasserstein`.

    Raises:
        TypeError, ValueError: see `sliced_wasserstein`.

    Source: the quantile formula of W₂ (Villani 2003, "Topics in Optimal Transportation", theorem 2.18).
    """
    checks.sample("x", x)
    x = all_gather(x, group)
    theta = directions.resolve(x, n_projections, projections, generator, group)
    means = normal_quantile_means(x.shape[-2], theta.dtype, x.device)
    return SlicedDistance(2, normal=True)(x, means if x.dim() == 2 else means.expand(*x.shape[:-1], 1), theta)


def max_sliced_wasserstein(
    x: Tensor,
    y: Tensor,
    *,
    n_projections: int = 128,
    p: float = 2,
    steps: int = 10,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Compute the p-th power of the max-sliced Wasserstein distance between two samples.

    max_θ W_p^p(θᵀx, θᵀy), by gradient ascent on the sphere from random directions: θ ← (θ + g/‖g‖)/‖·‖, g the gradient
    with respect to θ. The gradient with respect to x and y is that at the maximizing direction, a constant.

    Args:
        x: sample (..., n, d).
        y: sample (..., m, d).
        n_projections: number of initial directions, ≥ 1.
        p: order, ≥ 1.
        steps: number of steps of the ascent, ≥ 0.
        generator: random generator of the initial directions; None: torch's default.

    Returns:
        (...,) in the dtype of x, float32 for half precision: a lower bound of the maximum.

    Raises:
        TypeError, ValueError: see `sliced_wasserstein`.

    Source: Deshpande et al. 2019, "Max-Sliced Wasserstein Distance and its Use for GANs", definition 1.
    """
    distance = SlicedDistance(checks.at_least("p", p, 1))
    steps = checks.count("steps", steps, minimum=0)
    checks.samples(x, y)
    theta = directions.resolve(x, n_projections, None, generator, None)
    fixed_x, fixed_y = x.detach(), y.detach()
    for _ in range(steps):
        with torch.enable_grad():
            theta = theta.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(distance(fixed_x, fixed_y, theta).sum(), theta)
        theta = _normalize(theta.detach() + _normalize(gradient))
    with torch.no_grad(), autocast_disabled(x):
        best = reference.per_projection(fixed_x, fixed_y, theta, p).argmax(-1)
    theta = theta.gather(-1, best[..., None, None].expand(*theta.shape[:-1], 1))
    return distance(x, y, theta)


def _normalize(directions: Tensor) -> Tensor:
    return torch.nn.functional.normalize(directions, dim=-2)
