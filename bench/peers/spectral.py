"""Fréchet distances in plain torch and other packages, each in its usual form."""

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from bench.timing import require


def eigvalsh_bures(a: Tensor, b: Tensor) -> Tensor:
    """Compute the usual differentiable formula: eigvalsh of √B·A·√B, with √B as a constant."""
    with torch.no_grad():
        values, vectors = torch.linalg.eigh(b)
        root = vectors * values.clamp(min=0).sqrt().unsqueeze(-2) @ vectors.mT
    values = torch.linalg.eigvalsh(root @ a @ root)
    traces = (a + b).diagonal(dim1=-2, dim2=-1).sum(-1)
    return traces - 2 * values.clamp(min=0).sqrt().sum(-1)


def eigvalsh_frechet(x: Tensor, y: Tensor) -> Tensor:
    """Compute the same from two samples."""
    shift = x.mean(-2) - y.mean(-2)
    return shift.square().sum(-1) + eigvalsh_bures(torch.cov(x.mT), torch.cov(y.mT))


def eigvalsh_normal(x: Tensor) -> Tensor:
    """Compute the same against N(0, I), from the covariance alone."""
    covariance = torch.cov(x.mT)
    roots = torch.linalg.eigvalsh(covariance).clamp(min=0).sqrt()
    return x.mean(-2).square().sum() + covariance.trace() + x.shape[-1] - 2 * roots.sum()


def newton_schulz_frechet(x: Tensor, y: Tensor) -> Tensor:
    """Compute 20 unrolled steps of the cubic iteration on Σ₁Σ₂, differentiated by autograd."""
    a, b = torch.cov(x.T), torch.cov(y.T)
    product = a @ b
    scale = torch.linalg.matrix_norm(product)
    identity = torch.eye(len(a), device=a.device)
    root, inverse = product / scale, identity
    for _ in range(20):
        step = (3 * identity - inverse @ root) / 2
        root, inverse = root @ step, step @ inverse
    trace = root.trace() * scale.sqrt()
    return (x.mean(0) - y.mean(0)).square().sum() + a.trace() + b.trace() - 2 * trace


def torchmetrics_frechet(x: Tensor, y: Tensor) -> Tensor:
    """Compute FID by torchmetrics: eigvals of Σ₁Σ₂."""
    return require("torchmetrics.image.fid")._compute_fid(x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T))


def torchmetrics_bures(a: Tensor, b: Tensor) -> Tensor:
    """Compute the same from covariances (batch, d, d), one by one."""
    compute, zero = require("torchmetrics.image.fid")._compute_fid, a.new_zeros(a.shape[-1])
    return torch.stack([compute(zero, first, zero, second) for first, second in zip(a, b, strict=True)])


def pot_frechet(x: Tensor, y: Tensor) -> Tensor:
    """Compute the squared distance of POT."""
    distance = require("ot").gaussian.bures_wasserstein_distance
    return distance(x.mean(0), y.mean(0), torch.cov(x.T), torch.cov(y.T)) ** 2


def pytorch_fid(mean1: np.ndarray, cov1: np.ndarray, mean2: np.ndarray, cov2: np.ndarray) -> float:
    """Compute the formula of pytorch-fid's `calculate_frechet_distance`, for nonsingular covariances."""
    root = scipy.linalg.sqrtm(cov1 @ cov2).real
    return float(((mean1 - mean2) ** 2).sum() + np.trace(cov1) + np.trace(cov2) - 2 * np.trace(root))
