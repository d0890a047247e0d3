"""The version by torch.matmul: any size, nothing waits for the device, and a CUDA graph can hold it.

Σ^{1/2} and what follows from it are computed in float64 whatever torch's matmul precision: the float64 matrix units of
data-centre GPUs do as many products a second as IEEE float32, and nothing on the host knows the condition numbers. Only
the maps' products with the samples are float32's, at the precision that torch was allowed.

It runs on tensors of any device. `means` is what solves for the geometric means: by products of torch.matmul, or for
small matrices in Triton.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..autograd import full_precision
from . import lapack
from .coupled_iteration import Means
from .reference import trace

EPSILON = torch.finfo(torch.float32).eps

Solver = Callable[[Tensor, Tensor | None], Means]  # `coupled_iteration.geometric_means`, or the same by another way
Coupling = tuple[Tensor, list[Tensor | None]]  # Tr(Σ₁Σ₂)^{1/2}, and the centred samples carried over by their maps


def means_of_rounded(means: Solver, a: Tensor, b: Tensor | None) -> Means:
    """Geometric means of matrices that float32's rounding may have made indefinite; b None: I.

    Those that it did are taken again with d·ε of their norm on the diagonal, the largest eigenvalue that is rounding.
    Both are computed, for the device to choose from: nothing on the host knows which it is.
    """
    found = means(a, b)
    ridged = means(_ridged(a), None if b is None else _ridged(b))
    sound = found.residual <= a.shape[-1] + 1e-6
    return Means(*(torch.where(sound.view(-1, *[1] * (f.dim() - 1)), f, r) for f, r in zip(found, ridged, strict=True)))


def sqrtm(means: Solver, a: Tensor) -> Tensor:
    """A^{1/2} of (batch, d, d), in float32."""
    return means_of_rounded(means, _symmetric(a), None).second.float()


def bures(means: Solver, a: Tensor, b: Tensor, needs: Sequence[bool]) -> tuple[Tensor, ...]:
    """Tr(A + B − 2(AB)^{1/2}) of (batch, d, d) and its gradients."""
    a, b = _symmetric(a), _symmetric(b)
    found = means_of_rounded(means, a, b)
    value = trace(a) + trace(b) - 2 * found.trace
    identity = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    maps = (found.first, found.second)
    return _narrowed(value, [identity - map if need else None for map, need in zip(maps, needs, strict=True)])


def frechet(
    means: Solver, samples: Sequence[Tensor], eps: float, gram: bool, needs: Sequence[bool]
) -> tuple[Tensor, ...]:
    """Fréchet distance of samples (batch, n, d) and (batch, m, d), or of one to N(0, I), and its gradients."""
    with full_precision(samples):
        centred = [lapack.centred(x.double()) for x in samples]
        points = [x for _, x in centred]
        root, moved = _by_gram(means, points, needs) if gram else _by_covariance(means, points, eps, needs)
        d, to_normal = points[0].shape[-1], len(samples) == 1
        shift = centred[0][0] if to_normal else centred[0][0] - centred[1][0]
        traces = sum((lapack.mean_square(x) + d * eps for x in points), d if to_normal else 0)
        gradients = [
            None if m is None else lapack.to_sample(x, m, s)
            for x, m, s in zip(points, moved, (shift, -shift), strict=False)
        ]
        return _narrowed(shift.square().sum(-1) + traces - 2 * root, gradients)


def _by_covariance(means: Solver, points: Sequence[Tensor], eps: float, needs: Sequence[bool]) -> Coupling:
    a, *b = (lapack.covariance(x, eps) for x in points)
    found = means(a, b[0] if b else None)
    maps = (found.first, found.second)
    moved = [x.float() @ map.float() if need else None for x, map, need in zip(points, maps, needs, strict=False)]
    return found.trace, moved


def _by_gram(means: Solver, points: Sequence[Tensor], needs: Sequence[bool]) -> Coupling:
    """From M = XYᵀ/√((n−1)(m−1)): its polar factor U carries X to UY, Y to UᵀX. One sample: M = X/√(n−1)."""
    if len(points) == 1:
        x = points[0]
        found = means(x @ x.mT / (x.shape[-2] - 1), None)
        return found.trace, [found.first.float() @ x.float() if needs[0] else None]
    x, y = points
    if x.shape[-2] < y.shape[-2]:
        root, moved = _by_gram(means, (y, x), needs[::-1])
        return root, moved[::-1]
    spread = ((x.shape[-2] - 1) / (y.shape[-2] - 1)) ** 0.5
    m = x @ y.mT / ((x.shape[-2] - 1) * (y.shape[-2] - 1)) ** 0.5
    found = means(m.mT @ m, None)
    polar = (m @ found.first).float()
    of_x = polar @ y.float() * spread if needs[0] else None
    return found.trace, [of_x, polar.mT @ x.float() / spread if needs[1] else None]


def _symmetric(a: Tensor) -> Tensor:
    a = a.double()
    return (a + a.mT) / 2


def _ridged(a: Tensor) -> Tensor:
    d = a.shape[-1]
    ridge = d * EPSILON * torch.linalg.matrix_norm(a, keepdim=True)
    return a + ridge * torch.eye(d, dtype=a.dtype, device=a.device)


def _narrowed(value: Tensor, gradients: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    value = value.float()
    return value, *(value.new_empty(0) if g is None else g.float() for g in gradients)
