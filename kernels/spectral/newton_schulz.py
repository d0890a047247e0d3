"""A^{1/2} and A^{−1/2} at once, by matmul alone: the coupled, scaled Newton–Schulz iteration."""

import math

import torch
from torch import Tensor

MAX_SCALE = 1.65  # α of a step, which maps 1 to 0.23; √3 would map it to 0, and lose the digits of that eigenvalue


def roots(a: Tensor, max_iterations: int, tol: float | None) -> tuple[Tensor, Tensor, Tensor]:
    """Compute A^{1/2}, A^{−1/2} (..., d, d) and a residual (...,).

    Y, Z → Y·P, P·Z with P = α(3I − α²ZY)/2 (Higham 2008, "Functions of Matrices", equation (6.35)), α > 1 while
    eigenvalues may be small: the scaling of Chen & Chow 2014 for spectra in [ℓ², 1], from ℓ = √ε on, but at most
    MAX_SCALE. It keeps every eigenvalue in [0, 1] for any spectrum, and small ones grow 2.5-fold a step instead of
    1.5-fold. The last step has α = 1: a scaled one would map converged eigenvalues away from 1.

    Args:
        a: symmetric positive definite (..., d, d).
        max_iterations: maximal number of steps.
        tol: stop after the step that starts at this residual; None: √ε, from where one step reaches rounding. On a
            GPU, where reading it would synchronize with the host, stop where a spectrum in [ε, 1] must have reached it.

    Returns:
        A^{1/2}, A^{−1/2} and the larger of ‖I − ZY‖_F/√d before the last step and ‖Y² − A‖_F/‖A‖_F after it.
    """
    d, epsilon = a.shape[-1], torch.finfo(a.dtype).eps
    tol = math.sqrt(epsilon) if tol is None else tol
    a = (a + a.mT) / 2
    scale = torch.linalg.matrix_norm(a, keepdim=True)
    scale = torch.where(scale == 0, 1, scale)
    identity = torch.eye(d, dtype=a.dtype, device=a.device)
    a = a / scale
    y, z, lower = a, identity.expand_as(a), math.sqrt(epsilon)
    residual = torch.full_like(scale.squeeze((-2, -1)), torch.inf)
    for _ in range(max_iterations):
        zy = z @ y
        residual = torch.linalg.matrix_norm(identity - zy) / math.sqrt(d)
        last = finished(residual, lower, tol)
        alpha = 1.0 if last else min(MAX_SCALE, math.sqrt(3 / (1 + lower + lower**2)))
        lower = alpha * lower * (3 - (alpha * lower) ** 2) / 2
        step = alpha / 2 * (3 * identity - alpha**2 * zy)
        y, z = y @ step, step @ z
        if last:
            break
    error, root = torch.linalg.matrix_norm(a - y @ y), scale.sqrt()
    return y * root, z / root, torch.maximum(residual, error)


def finished(residual: Tensor, lower: float, tol: float) -> bool:
    """Return whether the residuals at the start of a step were below tol.

    On other devices than a CPU, whether they must have been, with roots in [lower, 1] at its start.
    """
    if not residual.is_cpu:
        return 1 - lower**2 <= tol
    return not bool((residual > tol).any())  # NaN stops too


def converged(residual: Tensor, dtype: torch.dtype, tol: float | None = None) -> bool:
    """Return whether every matrix of a batch reached `tol`, or √ε if that is larger."""
    max_residual = max(tol or 0.0, math.sqrt(torch.finfo(dtype).eps))
    return bool((residual <= max_residual).all())
