"""Fréchet distances by torch.matmul: matrices of any size, no synchronization with the host, CUDA graph capture.

Σ^{1/2} and its inverse are computed in float64 at every torch matmul precision: the float64 matrix units of
data-center GPUs run at the rate of IEEE float32, and the condition numbers are not known on the host. Only the
products of the maps with the samples are in float32, at the precision that torch allows.

The functions run on tensors of any device. Their argument `means` solves for the geometric means: by torch.matmul
(coupled_iteration.py) or, for small matrices, in Triton.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..precision import autocast_disabled
from . import lapack
from .coupled_iteration import Means
from .reference import trace

EPSILON = torch.finfo(torch.float32).eps

Solver = Callable[[Tensor, Tensor | None], Means]  # `coupled_iteration.geometric_means` or its Triton version
CrossTerm = tuple[Tensor, list[Tensor | None]]  # Tr(Σ₁Σ₂)^{1/2}, and the centered samples transported by their maps


def unsupported_reason(x: Tensor) -> str | None:
    """Return why this backend does not support inputs like x; None if it does."""
    if not x.is_cuda:
        return f"it is for CUDA tensors; the tensors are on {x.device}"
    return "float64 results need the eigendecomposition" if x.dtype == torch.float64 else None


def regularized_means(means: Solver, a: Tensor, b: Tensor | None) -> Means:
    """Compute geometric means of matrices that rounding in float32 may have made indefinite; b None: I.

    For indefinite matrices they are those with a ridge of d·ε of the norm, the largest eigenvalue due to rounding.
    Both are computed and the device selects, because a selection on the host would synchronize with it.
    """
    plain = means(a, b)
    ridged = means(_add_ridge(a), None if b is None else _add_ridge(b))
    semidefinite = plain.residual <= a.shape[-1] + 1e-6
    return Means(
        *(torch.where(semidefinite.view(-1, *[1] * (p.dim() - 1)), p, r) for p, r in zip(plain, ridged, strict=True))
    )


def sqrtm(means: Solver, a: Tensor) -> Tensor:
    """Compute A^{1/2} of (batch, d, d), in float32."""
    return regularized_means(means, _symmetrize(a), None).second.float()


def bures(means: Solver, a: Tensor, b: Tensor, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Compute Tr(A + B − 2(AB)^{1/2}) of (batch, d, d) and its gradients."""
    a, b = _symmetrize(a), _symmetrize(b)
    result = regularized_means(means, a, b)
    value = trace(a) + trace(b) - 2 * result.trace
    identity = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    maps = zip((result.first, result.second), needs_grad, strict=True)
    return _to_float32(value, [identity - map if need else None for map, need in maps])


def frechet(
    means: Solver, samples: Sequence[Tensor], eps: float, gram: bool, needs_grad: Sequence[bool]
) -> tuple[Tensor, ...]:
    """Compute the Fréchet distance of samples (batch, n, d) and (batch, m, d), or of one to N(0, I), with gradients."""
    with autocast_disabled(samples[0]):
        centered = [lapack.center(x.double()) for x in samples]
        points = [x for _, x in centered]
        root, transported = (
            _gram_cross_term(means, points, needs_grad) if gram else _cross_term(means, points, eps, needs_grad)
        )
        d, to_normal = points[0].shape[-1], len(samples) == 1
        shift = centered[0][0] if to_normal else centered[0][0] - centered[1][0]
        traces = sum((lapack.mean_square(x) + d * eps for x in points), d if to_normal else 0)
        gradients = [
            None if t is None else lapack.sample_gradient(x, t, s)
            for x, t, s in zip(points, transported, (shift, -shift), strict=False)
        ]
        return _to_float32(shift.square().sum(-1) + traces - 2 * root, gradients)


def _cross_term(means: Solver, points: Sequence[Tensor], eps: float, needs_grad: Sequence[bool]) -> CrossTerm:
    a, *b = (lapack.covariance(x, eps) for x in points)
    result = means(a, b[0] if b else None)
    maps = (result.first, result.second)
    return result.trace, [
        x.float() @ map.float() if need else None for x, map, need in zip(points, maps, needs_grad, strict=False)
    ]


def _gram_cross_term(means: Solver, points: Sequence[Tensor], needs_grad: Sequence[bool]) -> CrossTerm:
    """Compute the same from M = XYᵀ/√((n−1)(m−1)), as in lapack.py; from M = X/√(n−1) for one sample."""
    if len(points) == 1:
        x = points[0]
        result = means(x @ x.mT / (x.shape[-2] - 1), None)
        return result.trace, [result.first.float() @ x.float() if needs_grad[0] else None]
    x, y = points
    if x.shape[-2] < y.shape[-2]:
        root, transported = _gram_cross_term(means, (y, x), needs_grad[::-1])
        return root, transported[::-1]
    ratio = ((x.shape[-2] - 1) / (y.shape[-2] - 1)) ** 0.5
    m = x @ y.mT / ((x.shape[-2] - 1) * (y.shape[-2] - 1)) ** 0.5
    result = means(m.mT @ m, None)
    polar = (m @ result.first).float()
    first = polar @ y.float() * ratio if needs_grad[0] else None
    return result.trace, [first, polar.mT @ x.float() / ratio if needs_grad[1] else None]


def _symmetrize(a: Tensor) -> Tensor:
    a = a.double()
    return (a + a.mT) / 2


def _add_ridge(a: Tensor) -> Tensor:
    d = a.shape[-1]
    ridge = d * EPSILON * torch.linalg.matrix_norm(a, keepdim=True)
    return a + ridge * torch.eye(d, dtype=a.dtype, device=a.device)


def _to_float32(value: Tensor, gradients: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    value = value.float()
    return value, *(value.new_empty(0) if g is None else g.float() for g in gradients)
