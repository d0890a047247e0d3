"""Geometric means of positive semidefinite matrices by products alone, in a number of steps known beforehand.

T and R of the coupled iteration tend to B⁻¹ # A and A⁻¹ # B, the maps that carry one Gaussian into the other; with
B = I they are A^{1/2} and A^{−1/2}. Of G = TR a polynomial P is taken, and T, R → PT, RP. It is Newton–Schulz for the
sign of [[0, A], [B, 0]] (Higham 2008, "Functions of Matrices", theorem 5.2), with the polynomials of Amsel,
Persson, Musco & Gower 2025, "The Polar Express", in the place of the cubic.
"""

from typing import NamedTuple

import torch
from torch import Tensor

# The steps of polar.hpp, as + bs³ + cs⁵ in the roots s of the eigenvalues of G: three that take [0.06, 1] to 1 ± 0.003
# and let smaller ones grow thirtyfold; and one from there to rounding.
ROUND = ((6.4844, -17.3037, 12.434), (2.4137, -1.7686, 0.4296), (1.9053, -1.2832, 0.3783))
LAST = (1.875, -1.25, 0.375)
CUSHION = 0.99  # no root may be beyond 1 where a round begins; 1.003 is what a round leaves

# Four rounds reach roots down to 2e-6 of the greatest: condition numbers of AB up to 2e11. Smaller eigenvalues stay
# behind, and cannot blow up: what rounding in float64 makes of them grows by (30⁴)², to 1e-4. A fifth round could.
ROUNDS = 4


class Means(NamedTuple):
    """Geometric means of A and B.

    Args:
        trace: Tr(AB)^{1/2} (batch,).
        first, second: A⁻¹ # B and B⁻¹ # A (batch, d, d), 0 across null spaces.
        residual: ‖I − G‖_F² (batch,), at most d; more, or not finite, if A or B is not semidefinite.
    """

    trace: Tensor
    first: Tensor
    second: Tensor
    residual: Tensor


class Pair(NamedTuple):
    """What the iteration leaves of normalised A and B (batch, d, d): T, R, and A, B as they came in."""

    t: Tensor
    r: Tensor
    a: Tensor
    b: Tensor
    ratio: Tensor  # √(‖A‖/‖B‖) (batch, 1, 1)
    size: Tensor  # √(‖A‖·‖B‖)


def geometric_means(a: Tensor, b: Tensor | None) -> Means:
    """A⁻¹ # B, B⁻¹ # A and Tr(AB)^{1/2} of positive semidefinite float64 matrices (batch, d, d); b None: I.

    Tr(AB)^{1/2} = min over R of ½⟨A, R⟩ + ½⟨B, R⁻¹⟩ (Alberti 1983): an error of R enters only squared.
    """
    pair = iterate(a, _identity(a) if b is None else b)
    t, r = pair.t, pair.r
    trace = pair.size.flatten() * ((pair.a * r).sum((-2, -1)) + (pair.b * t).sum((-2, -1))) / 2
    reached = t @ r  # G: I, but 0 in null spaces, where T and R have grown to no purpose
    residual = (_identity(a) - reached).square().sum((-2, -1))
    return Means(trace, r @ reached / pair.ratio, reached @ t * pair.ratio, residual)


def iterate(a: Tensor, b: Tensor) -> Pair:
    """The coupled iteration."""
    norm_a, norm_b = _norm(a), _norm(b)
    a, b = a / norm_a, b / norm_b
    t, r = a, b
    g = t @ r
    by = first_scale(g @ g)
    t, r, g = by * t, by * r, by.square() * g
    for step in range(3 * ROUNDS):
        enlarged = CUSHION if step and step % 3 == 0 else 1.0
        p = _polynomial(g, *ROUND[step % 3], enlarged)
        t, r = p @ t, r @ p
        g = t @ r
    p = _polynomial(g, *LAST)
    return Pair(p @ t, r @ p, a, b, (norm_a / norm_b).sqrt(), (norm_a * norm_b).sqrt())


def _polynomial(g: Tensor, a: float, b: float, c: float, by: float = 1.0) -> Tensor:
    """aI + bG + cG² of roots enlarged `by`."""
    p = torch.baddbmm(g, g, g, beta=b * by**3, alpha=c * by**5)
    p.diagonal(dim1=-2, dim2=-1).add_(a * by)
    return p


def first_scale(square: Tensor) -> Tensor:
    """The factor that takes the greatest root below 1: (Tr G⁴)^{1/8} is no less than any, from G² (batch, d, d).

    Where A and B hardly overlap it would be endless; √d is the most that matrices of equal eigenvalues need.
    """
    greatest = (square * square.mT).sum((-2, -1), keepdim=True).clamp(min=0) ** 0.125
    return CUSHION / torch.clamp(greatest, min=square.shape[-1] ** -0.5)


def _identity(a: Tensor) -> Tensor:
    return torch.eye(a.shape[-1], dtype=a.dtype, device=a.device).expand_as(a)


def _norm(a: Tensor) -> Tensor:
    """‖A‖_F (batch, 1, 1), and 1 for 0."""
    norm = torch.linalg.matrix_norm(a, keepdim=True)
    return torch.where(norm == 0, 1, norm)


def lyapunov(s: Tensor, c: Tensor) -> Tensor:
    """X with SX + XS = C for positive semidefinite S (batch, d, d); 0 where two eigenvalues of S add up to 0.

    It is the corner of a root: that of [[S², C], [0, S²]] is [[S, X], [0, S]] (Higham 2008, theorem 3.6).
    """
    d, square = s.shape[-1], s @ s
    pair = iterate(square, _identity(s))
    reached = pair.t @ pair.r
    for _ in range(2):  # sharpened: what is left of C in null spaces grows by (30⁴)³
        reached = reached @ reached
    null = _identity(s) - reached
    c = c - null @ c @ null
    size, scale = _norm(c), _norm(square)
    above, below = (torch.cat(row, -1) for row in ((square, c * (scale / size)), (torch.zeros_like(s), square)))
    block = torch.cat([above, below], -2)
    pair = iterate(block, _identity(block))
    return pair.t[:, :d, d:] * pair.ratio * (size / scale)
