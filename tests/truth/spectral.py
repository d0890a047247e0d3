"""Float64 truth of the Fréchet distances, by singular values; random samples and covariances."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from tests.truth.cases import with_gradients


def bures(a: np.ndarray, b: np.ndarray) -> float:
    """Return Tr(A + B − 2(AB)^{1/2}) by the singular values of A^{1/2}B^{1/2}, which avoids squaring them."""
    nuclear = np.linalg.norm(symmetric_root(a) @ symmetric_root(b), "nuc")
    return float(np.trace(a) + np.trace(b) - 2 * nuclear)


def symmetric_root(a: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(a)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


def frechet(x: Tensor, y: Tensor) -> float:
    """Return the Fréchet distance by the singular values of XYᵀ, which is exact for singular covariances, too."""
    a, b = (z.detach().double().numpy() for z in (x, y))
    shift = a.mean(0) - b.mean(0)
    a, b = ((z - z.mean(0)) / np.sqrt(len(z) - 1) for z in (a, b))
    return float(shift @ shift + (a**2).sum() + (b**2).sum() - 2 * np.linalg.norm(a @ b.T, "nuc"))


def covariance(d: int, condition: float, seed: int = 0, rank: int | None = None) -> Tensor:
    """Return a random (d, d) covariance of a condition number, with log-spaced eigenvalues from 1 down."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    values = torch.logspace(0, -float(np.log10(condition)), d, dtype=torch.float64)
    values[d if rank is None else rank :] = 0
    product = basis * values @ basis.T
    return (product + product.T) / 2


def sample(
    n: int, d: int, dtype: torch.dtype = torch.float64, seed: int = 0, scale: float = 1.0, shift: float = 0.0
) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(n, d, generator=generator, dtype=torch.float64) * scale + shift).to(dtype)


def conditioned_sample(n: int, d: int, condition: float, seed: int = 0) -> Tensor:
    """Return a float32 sample whose covariance has about that condition number, in random axes."""
    root = covariance(d, condition**0.5, seed + 1)
    return (sample(n, d, seed=seed) @ root).float()


def errors(loss: Callable[..., Tensor], exact: Callable[..., Tensor], *inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the error of the value, relative to the traces of the covariances, and that of the first gradient."""
    (value, gradient, *_), (expected, expected_gradient, *_) = (
        with_gradients(f, *(i.to(dtype) for i in inputs))
        for f, dtype in ((loss, torch.float32), (exact, torch.float64))
    )
    size = sum(i.double().var(0).sum() for i in inputs)
    return abs(value - expected) / size, (gradient - expected_gradient).norm() / expected_gradient.norm()
