"""A^{1/2} and A^{−1/2} at once, by products alone: the coupled, scaled Newton–Schulz iteration."""

import math

import torch
from torch import Tensor


def roots(a: Tensor, max_iterations: int, tol: float | None) -> tuple[Tensor, Tensor, Tensor]:
    """A^{1/2}, A^{−1/2} (..., d, d) and the residual ‖I − ZY‖_F/√d (...,) before the last step.

    Y, Z → Y·P, P·Z with P = α(3I − α²ZY)/2 (Higham 2008, "Functions of Matrices", equation (6.35)), α > 1 while
    eigenvalues may be small: the scaling of Chen & Chow 2014 for spectra in [ℓ², 1], from ℓ = √ε on. It keeps every
    eigenvalue in [0, 1], whatever the spectrum is, and the small ones grow 2.6-fold a step rather than 1.5-fold.

    Args:
        a: symmetric positive definite (..., d, d).
        max_iterations: steps at most.
        tol: stop after the step that starts at this residual; None: √ε, from where one step reaches rounding. On a
            GPU, where reading it would wait for the device, stop where a spectrum in [ε, 1] must have reached it.
    """
    d, epsilon = a.shape[-1], torch.finfo(a.dtype).eps
    tol = math.sqrt(epsilon) if tol is None else tol
    a = (a + a.mT) / 2
    scale = torch.linalg.matrix_norm(a, keepdim=True)
    scale = torch.where(scale == 0, 1, scale)
    identity = torch.eye(d, dtype=a.dtype, device=a.device)
    y, z, lower = a / scale, identity.expand_as(a), math.sqrt(epsilon)
    residual = torch.full_like(scale.squeeze((-2, -1)), torch.inf)
    for _ in range(max_iterations):
        product = z @ y
        residual = torch.linalg.matrix_norm(identity - product) / math.sqrt(d)
        alpha, before = math.sqrt(3 / (1 + lower + lower**2)), lower
        lower = alpha * lower * (3 - (alpha * lower) ** 2) / 2
        step = alpha / 2 * (3 * identity - alpha**2 * product)
        y, z = y @ step, step @ z
        if finished(residual, before, tol):
            break
    root = scale.sqrt()
    return y * root, z / root, residual


def finished(residual: Tensor, lower: float, tol: float) -> bool:
    """Whether residuals of a step that began with roots in [lower, 1] were below tol; on a GPU, if they had to be."""
    if residual.is_cuda:
        return 1 - lower**2 <= tol
    return not bool((residual > tol).any())  # NaN stops too


def converged(residual: Tensor, dtype: torch.dtype, tol: float | None = None) -> bool:
    """Whether every matrix of a batch reached `tol`, or √ε if that is larger."""
    allowed = max(tol or 0.0, math.sqrt(torch.finfo(dtype).eps))
    return bool((residual <= allowed).all())
