"""Projection directions of the sliced losses."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.precision import accumulation_dtype
from ..utils import checks
from ..utils.distributed import broadcast

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
    """Draw unit vectors uniform on the sphere.

    Args:
        d: dimension of the space.
        n_projections: number L of directions.
        orthogonal: make each block of d directions an orthonormal basis, for a lower variance of the loss.
        generator: random generator; None: torch's default. Numbers are drawn on its device.
        dtype: dtype of the result.
        device: device of the result.

    Returns:
        (d, L), a direction in each column.
    """
    checks.generator(generator)
    source_device = device if generator is None else generator.device
    normal = torch.randn(n_projections, d, generator=generator, dtype=dtype, device=source_device).to(device)
    if not orthogonal:  # directions in rows: norms along the contiguous axis are many times faster
        return (normal / torch.linalg.vector_norm(normal, dim=1, keepdim=True)).T
    bases = (torch.linalg.qr(block) for block in normal.T.split(d, dim=1))
    # the signs of R's diagonal make Q uniform (Mezzadri 2007, "How to generate random matrices")
    return torch.cat([q * r.diagonal().sign() for q, r in bases], dim=1)


def resolve(
    x: Tensor,
    n_projections: int,
    projections: Tensor | None,
    generator: torch.Generator | None,
    group: "ProcessGroup | None",
    orthogonal: bool = False,
) -> Tensor:
    """Return given directions after a check, or random ones, equal on all ranks.

    Args:
        x: sample (..., n, d).
        n_projections: number L of random directions, ≥ 1.
        projections: directions (d, L); None: random ones.
        generator: see `random_directions`.
        group: torch.distributed group whose ranks share the random directions.
        orthogonal: see `random_directions`.

    Returns:
        (d, L), expanded to (..., d, L) for a batch of samples.

    Raises:
        TypeError, ValueError: for invalid n_projections or projections.
    """
    d = x.shape[-1]
    dtype = accumulation_dtype(x.dtype)
    if projections is None:
        count = checks.count("n_projections", n_projections)
        projections = random_directions(
            d, count, orthogonal=orthogonal, generator=generator, dtype=dtype, device=x.device
        )
        if group is not None:
            projections = broadcast(projections.contiguous(), group)
    else:
        checks.projections(projections, x)
        projections = projections.to(dtype)
    return projections if x.dim() == 2 else projections.expand(*x.shape[:-2], d, projections.shape[-1])
