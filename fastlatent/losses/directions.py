"""Directions on which the sliced losses project: drawn, or given and checked."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.precision import accumulation_dtype
from ..utils import checks

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


def random_directions(
    d: int,
    n_projections: int,
    *,
    orthogonal: bool = False,
    generator: torch.Generator | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Unit vectors, each uniform on the sphere.

    Args:
        d: dimension of the space.
        n_projections: L, how many.
        orthogonal: make each consecutive d of them an orthonormal basis (lower variance of the loss).
        generator: source of randomness; drawn on its device.
        dtype, device: of the result.

    Returns:
        (d, L), one direction a column.
    """
    drawn_on = device if generator is None else generator.device
    normal = torch.randn(n_projections, d, generator=generator, dtype=dtype, device=drawn_on).to(device)
    if not orthogonal:  # directions in rows: norms along the contiguous axis are many times faster
        return (normal / torch.linalg.vector_norm(normal, dim=1, keepdim=True)).T
    bases = (torch.linalg.qr(block) for block in normal.T.split(d, dim=1))
    # signs of R's diagonal make Q uniform (Mezzadri 2007, "How to generate random matrices")
    return torch.cat([q * r.diagonal().sign() for q, r in bases], dim=1)


def for_sample(
    x: Tensor,
    n_projections: int,
    projections: Tensor | None,
    generator: torch.Generator | None,
    group: "ProcessGroup | None",
    orthogonal: bool = False,
) -> Tensor:
    """The given directions, checked, or random ones (the same on every rank), once for each batch: (..., d, L)."""
    d = x.shape[-1]
    dtype = accumulation_dtype(x.dtype)
    if projections is None:
        count = checks.count("n_projections", n_projections)
        projections = random_directions(
            d, count, orthogonal=orthogonal, generator=generator, dtype=dtype, device=x.device
        )
        if group is not None:
            projections = projections.contiguous()
            torch.distributed.broadcast(projections, torch.distributed.get_global_rank(group, 0), group=group)
    else:
        checks.projections(projections, x)
        projections = projections.to(dtype)
    return projections if x.dim() == 2 else projections.expand(*x.shape[:-2], d, projections.shape[-1])
