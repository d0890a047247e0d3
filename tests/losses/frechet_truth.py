"""Fréchet distances in float64 as others compute them: what tests compare with and benchmarks time."""

import numpy as np
import scipy.linalg
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


def pytorch_fid(mean1: np.ndarray, cov1: np.ndarray, mean2: np.ndarray, cov2: np.ndarray) -> float:
    """The formula of pytorch-fid's `calculate_frechet_distance`, for nonsingular covariances."""
    root = scipy.linalg.sqrtm(cov1 @ cov2).real
    return float(((mean1 - mean2) ** 2).sum() + np.trace(cov1) + np.trace(cov2) - 2 * np.trace(root))


def eigvalsh_idiom(x: Tensor, y: Tensor) -> Tensor:
    """The usual differentiable way in plain torch: eigvalsh of √B·A·√B, the root of B being a constant."""
    shift = x.mean(-2) - y.mean(-2)
    return shift.square().sum(-1) + eigvalsh_bures(torch.cov(x.mT), torch.cov(y.mT))


def eigvalsh_bures(a: Tensor, b: Tensor) -> Tensor:
    """The same from covariances (..., d, d)."""
    with torch.no_grad():
        values, vectors = torch.linalg.eigh(b)
        root = vectors * values.clamp(min=0).sqrt().unsqueeze(-2) @ vectors.mT
    values = torch.linalg.eigvalsh(root @ a @ root)
    traces = (a + b).diagonal(dim1=-2, dim2=-1).sum(-1)
    return traces - 2 * values.clamp(min=0).sqrt().sum(-1)


def eigvalsh_normal(x: Tensor) -> Tensor:
    """The same against N(0, I), from the covariance alone."""
    covariance = torch.cov(x.mT)
    roots = torch.linalg.eigvalsh(covariance).clamp(min=0).sqrt()
    return x.mean(-2).square().sum() + covariance.trace() + x.shape[-1] - 2 * roots.sum()


def covariance(d: int, condition: float, seed: int = 0, rank: int | None = None) -> Tensor:
    """A random (d, d) covariance of that condition number, eigenvalues spread evenly on a log scale from 1 down."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    values = torch.logspace(0, -float(np.log10(condition)), d, dtype=torch.float64)
    values[d if rank is None else rank :] = 0
    product = basis * values @ basis.T
    return (product + product.T) / 2
