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
from . import directions
from .distributed import gather

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

Slices = Callable[[Tensor], Tensor]


def sliced_wasserstein(
    x: Tensor,
    y: Tensor,
    *,
    n_projections: int = 128,
    p: float = 2,
    projections: Tensor | Slices | None = None,
    orthogonal: bool = False,
    x_weights: Tensor | None = None,
    y_weights: Tensor | None = None,
    generator: torch.Generator | None = None,
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Mean over directions of the Wasserstein distance between the projected samples, to the power p.

    (1/L) Σ_l W_p^p(θ_lᵀx, θ_lᵀy); for n = m this is (1/L) Σ_l (1/n) Σᵢ |(θ_lᵀx)₍ᵢ₎ − (θ_lᵀy)₍ᵢ₎|^p. Tied points are
    paired in the order of their index, and the gradient is that of this pairing, an element of the sub-gradient.

    Args:
        x: sample (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        y: sample (..., m, d).
        n_projections: L, how many random directions.
        p: order, ≥ 1.
        projections: directions (d, L), unit columns; or a function from (..., n, d) to (..., n, L), for the generalized
            sliced distance of Kolouri et al. 2019.
        orthogonal: draw the directions as orthonormal bases.
        x_weights, y_weights: masses (..., n) and (..., m), ≥ 0, normalized here; None: equal masses.
        generator: source of the random directions.
        group: take the loss over the batches of all ranks of this torch.distributed group.

    Returns:
        (...,) in the dtype of x, float32 for half precision. No root is taken.

    Raises:
        TypeError, ValueError: for arguments outside what is said here.

    Source: Bonneel et al. 2015, equation (10); as an autoencoder's loss Kolouri et al. 2019, "Sliced Wasserstein
    Auto-Encoders", equation (14).
    """
    p = checks.at_least("p", p, 1)
    checks.samples(x, y)
    checks.weights("x_weights", x_weights, x)
    checks.weights("y_weights", y_weights, y)
    if group is not None:
        x_weights, y_weights = _gather_weights(x, x_weights, group), _gather_weights(y, y_weights, group)
        x, y = gather(x, group), gather(y, group)
    if callable(projections) and not isinstance(projections, Tensor):
        return _on_reference(projections(x), projections(y), p, x_weights, y_weights, "generalized slices")
    theta = directions.for_sample(x, n_projections, projections, generator, group, orthogonal)
    if x_weights is None and y_weights is None:
        return SlicedDistance(p)(x, y, theta)
    with autocast_disabled(x):
        u, v = x.to(theta.dtype) @ theta, y.to(theta.dtype) @ theta
    return _on_reference(u, v, p, x_weights, y_weights, "weights")


def _on_reference(
    u: Tensor, v: Tensor, p: float, u_weights: Tensor | None, v_weights: Tensor | None, what: str
) -> Tensor:
    select_backend("sliced", {**dict.fromkeys(("triton", "cuda", "cpu"), f"it has no {what}"), "reference": None})
    with autocast_disabled(u):
        return reference.wasserstein(widen(u), widen(v), p, u_weights, v_weights).mean(-1)


def _gather_weights(x: Tensor, weights: Tensor | None, group: "ProcessGroup") -> Tensor | None:
    return None if weights is None else gather(weights.expand(x.shape[:-1]).unsqueeze(-1), group).squeeze(-1)


def sliced_wasserstein_normal(
    x: Tensor,
    *,
    n_projections: int = 128,
    projections: Tensor | None = None,
    generator: torch.Generator | None = None,
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Sliced squared 2-Wasserstein distance between a sample and N(0, I), exact on each direction: no prior sample.

    On a line, W₂² = (1/n) Σᵢ (x₍ᵢ₎ − qᵢ)² + 1 − (1/n) Σᵢ qᵢ², where qᵢ = n [ϕ(Φ⁻¹((i−1)/n)) − ϕ(Φ⁻¹(i/n))] is the mean
    of N(0, 1) between its quantiles (i−1)/n and i/n.

    Args:
        x: sample (..., n, d).
        n_projections, projections, generator, group: see `sliced_wasserstein`; no function as projections.

    Returns, raises: see `sliced_wasserstein`.

    Source: the quantile formula of W₂ (Villani 2003, "Topics in Optimal Transportation", theorem 2.18).
    """
    checks.sample("x", x)
    x = gather(x, group)
    theta = directions.for_sample(x, n_projections, projections, generator, group)
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
    """Largest Wasserstein distance, to the power p, between the samples projected on one direction.

    max_θ W_p^p(θᵀx, θᵀy), sought from random directions by ascent on the sphere: θ ← (θ + g/‖g‖)/‖·‖, g the gradient
    at θ. The gradient with respect to x and y is taken at the direction found, held fixed.

    Args:
        x, y: samples (..., n, d) and (..., m, d).
        n_projections: how many directions to start from.
        p: order, ≥ 1.
        steps: of the ascent, ≥ 0.
        generator: source of the random directions.

    Returns:
        (...,) in the dtype of x, float32 for half precision: a lower bound of the maximum.

    Raises: see `sliced_wasserstein`.

    Source: Deshpande et al. 2019, "Max-Sliced Wasserstein Distance and its Use for GANs", definition 1.
    """
    form = SlicedDistance(checks.at_least("p", p, 1))
    checks.count("steps", steps, least=0)
    checks.samples(x, y)
    theta = directions.for_sample(x, n_projections, None, generator, None)
    fixed_x, fixed_y = x.detach(), y.detach()
    for _ in range(steps):
        with torch.enable_grad():
            theta = theta.detach().requires_grad_()
            (ascent,) = torch.autograd.grad(form(fixed_x, fixed_y, theta).sum(), theta)
        theta = _unit(theta.detach() + _unit(ascent))
    with torch.no_grad(), autocast_disabled(x):
        best = reference.per_projection(fixed_x, fixed_y, theta, p).argmax(-1)
    theta = theta.gather(-1, best[..., None, None].expand(*theta.shape[:-1], 1))
    return form(x, y, theta)


def _unit(directions: Tensor) -> Tensor:
    return torch.nn.functional.normalize(directions, dim=-2)
