"""Float64 truth of the Fréchet distances, from singular values; samples and covariances to try them on."""

import numpy as np
import torch
from torch import Tensor


def bures(a: np.ndarray, b: np.ndarray) -> float:
    """Tr(A + B − 2(AB)^{1/2}) from the singular values of A^{1/2}B^{1/2}, which are not squared on the way."""
    nuclear = np.linalg.norm(symmetric_root(a) @ symmetric_root(b), "nuc")
    return float(np.trace(a) + np.trace(b) - 2 * nuclear)


def symmetric_root(a: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(a)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


def frechet(x: Tensor, y: Tensor) -> float:
    """From the singular values of XYᵀ: nothing is squared on the way, singular covariances are exact too."""
    a, b = (z.detach().double().numpy() for z in (x, y))
    shift = a.mean(0) - b.mean(0)
    a, b = ((z - z.mean(0)) / np.sqrt(len(z) - 1) for z in (a, b))
    return float(shift @ shift + (a**2).sum() + (b**2).sum() - 2 * np.linalg.norm(a @ b.T, "nuc"))


def covariance(d: int, condition: float, seed: int = 0, rank: int | None = None) -> Tensor:
    """A random (d, d) covariance of that condition number, eigenvalues spread evenly on a log scale from 1 down."""
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
    """A float32 sample whose covariance has about that condition number, in no special axes."""
    root = covariance(d, condition**0.5, seed + 1)
    return (sample(n, d, seed=seed) @ root).float()
