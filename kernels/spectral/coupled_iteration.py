"""Geometric means of positive semidefinite matrices by matmul alone, in a fixed number of steps.

T and R of the coupled iteration tend to B⁻¹ # A and A⁻¹ # B, the maps that transport one Gaussian to the other; with
B = I they are A^{1/2} and A^{−1/2}. With a polynomial P of G = TR, a step is T, R → PT, RP. It is Newton–Schulz for
the sign of [[0, A], [B, 0]] (Higham 2008, "Functions of Matrices", theorem 5.2), with the polynomials of Amsel,
Persson, Musco & Gower 2025, "The Polar Express", instead of the cubic.
"""

from typing import NamedTuple

import torch
from torch import Tensor

# Steps of cpu/polar.hpp, as + bs³ + cs⁵ in the roots s of the eigenvalues of G: three that map [0.06, 1] to 1 ± 0.003
# and enlarge smaller roots thirtyfold; LAST maps that interval to 1 up to rounding.
ROUND = ((6.4844, -17.3037, 12.434), (2.4137, -1.7686, 0.4296), (1.9053, -1.2832, 0.3783))
LAST = (1.875, -1.25, 0.375)
CUSHION = 0.99  # scale that keeps all roots ≤ 1 at the start of a round; a round leaves up to 1.003

# Four rounds reach roots down to 2e-6 of the largest: condition numbers of AB up to 2e11. Smaller eigenvalues do not
# converge, but stay bounded: their rounding errors in float64 grow by (30⁴)², to 1e-4. A fifth round could diverge.
ROUNDS = 4


class Means(NamedTuple):
    """Geometric means of A and B.

    Args:
        trace: Tr(AB)^{1/2} (batch,).
        first: A⁻¹ # B (batch, d, d), 0 across null spaces.
        second: B⁻¹ # A (batch, d, d), 0 across null spaces.
        residual: ‖I − G‖_F² (batch,), at most d; larger, or not finite, if A or B is not semidefinite.
    """

    trace: Tensor
    first: Tensor
    second: Tensor
    residual: Tensor


class IterationResult(NamedTuple):
    """Result of the iteration on normalized A and B.

    Args:
        t: T (batch, d, d).
        r: R (batch, d, d).
        a: A/‖A‖_F (batch, d, d).
        b: B/‖B‖_F (batch, d, d).
        ratio: √(‖A‖/‖B‖) (batch, 1, 1).
        scale: √(‖A‖·‖B‖) (batch, 1, 1).
    """

    t: Tensor
    r: Tensor
    a: Tensor
    b: Tensor
    ratio: Tensor
    scale: Tensor


def geometric_means(a: Tensor, b: Tensor | None) -> Means:
    """Compute A⁻¹ # B, B⁻¹ # A and Tr(AB)^{1/2} of positive semidefinite float64 matrices (batch, d, d); b None: I.

    Tr(AB)^{1/2} = min over R of ½⟨A, R⟩ + ½⟨B, R⁻¹⟩ (Alberti 1983), so an error of R enters only squared.
    """
    result = iterate(a, _identity(a) if b is None else b)
    t, r = result.t, result.r
    trace = result.scale.flatten() * ((result.a * r).sum((-2, -1)) + (result.b * t).sum((-2, -1))) / 2
    g = t @ r  # I, but 0 in null spaces, where T and R have grown without converging
    residual = (_identity(a) - g).square().sum((-2, -1))
    return Means(trace, r @ g / result.ratio, g @ t * result.ratio, residual)


def iterate(a: Tensor, b: Tensor) -> IterationResult:
    """Run the coupled iteration on A and B (batch, d, d)."""
    norm_a, norm_b = _norm(a), _norm(b)
    a, b = a / norm_a, b / norm_b
    t, r = a, b
    g = t @ r
    scale = first_scale(g @ g)
    t, r, g = scale * t, scale * r, scale.square() * g
    for step in range(3 * ROUNDS):
        scale_of_step = CUSHION if step and step % 3 == 0 else 1.0
        p = _polynomial(g, *ROUND[step % 3], scale_of_step)
        t, r = p @ t, r @ p
        g = t @ r
    p = _polynomial(g, *LAST)
    return IterationResult(p @ t, r @ p, a, b, (norm_a / norm_b).sqrt(), (norm_a * norm_b).sqrt())


def _polynomial(g: Tensor, a: float, b: float, c: float, scale: float = 1.0) -> Tensor:
    """Compute aI + bG + cG² of roots multiplied by `scale`."""
    p = torch.baddbmm(g, g, g, beta=b * scale**3, alpha=c * scale**5)
    p.diagonal(dim1=-2, dim2=-1).add_(a * scale)
    return p


def first_scale(square: Tensor) -> Tensor:
    """Compute the factor that brings the largest root below 1, from G² (batch, d, d).

    (Tr G⁴)^{1/8} bounds all roots. It tends to 0 as the ranges of A and B become orthogonal; √d is the largest factor
    that matrices of equal eigenvalues need.
    """
    bound = (square * square.mT).sum((-2, -1), keepdim=True).clamp(min=0) ** 0.125
    return CUSHION / torch.clamp(bound, min=square.shape[-1] ** -0.5)


def _identity(a: Tensor) -> Tensor:
    return torch.eye(a.shape[-1], dtype=a.dtype, device=a.device).expand_as(a)


def _norm(a: Tensor) -> Tensor:
    """Compute ‖A‖_F (batch, 1, 1), 1 for a zero matrix."""
    norm = torch.linalg.matrix_norm(a, keepdim=True)
    return torch.where(norm == 0, 1, norm)


def lyapunov(s: Tensor, c: Tensor) -> Tensor:
    """Solve SX + XS = C for positive semidefinite S (batch, d, d); 0 where two eigenvalues of S add up to 0.

    X is a block of a root: that of [[S², C], [0, S²]] is [[S, X], [0, S]] (Higham 2008, theorem 3.6).
    """
    d, square = s.shape[-1], s @ s
    result = iterate(square, _identity(s))
    range_projector = result.t @ result.r
    for _ in range(2):  # purified: the remainder of C in null spaces grows by (30⁴)³
        range_projector = range_projector @ range_projector
    null_projector = _identity(s) - range_projector
    c = c - null_projector @ c @ null_projector
    norm_c, norm_square = _norm(c), _norm(square)
    top = torch.cat([square, c * (norm_square / norm_c)], -1)
    bottom = torch.cat([torch.zeros_like(s), square], -1)
    block = torch.cat([top, bottom], -2)
    result = iterate(block, _identity(block))
    return result.t[:, :d, d:] * result.ratio * (norm_c / norm_square)
