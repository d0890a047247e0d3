"""Nearest neighbors and the Chamfer distance between point clouds."""

import torch
from torch import Tensor

from ..kernels import pairwise
from ..kernels.precision import widen
from ..utils import checks


def nearest(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest point of y for each point of x.

    argmin_j ‖xᵢ−yⱼ‖² and min_j ‖xᵢ−yⱼ‖².

    Args:
        x: points (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        y: points (..., m, d).

    Returns:
        Indices into y (..., n), int64, the lowest one at a tie; and the squared distances (..., n), differentiable in
        x and y, in the dtype of x (float32 for half precision).

    Raises:
        TypeError, ValueError: for arguments of other types, shapes or ranges.
    """
    checks.samples(x, y)
    index = pairwise.nearest(x, y)
    x, y = widen(x), widen(y)  # before indexing: the gradients of a point with several neighbors sum in float32
    return index, (x - _gather_points(y, index)).square().sum(-1)


def chamfer_distance(x: Tensor, y: Tensor) -> Tensor:
    """Compute the Chamfer distance between two point clouds.

    mean_i min_j ‖xᵢ−yⱼ‖² + mean_j min_i ‖xᵢ−yⱼ‖².

    Args:
        x: points (..., n, d); leading dimensions are batches.
        y: points (..., m, d).

    Returns:
        (...,) in the dtype of x, float32 for half precision. At a tie the lowest index has the gradient.

    Raises:
        TypeError, ValueError: for arguments of other types, shapes or ranges.

    Source: Fan et al. 2017, "A point set generation network for 3D object reconstruction from a single image", (6).
    """
    checks.samples(x, y)
    x, y = widen(x), widen(y)  # here, so that the gradients of both terms sum in float32
    return nearest(x, y)[1].mean(-1) + nearest(y, x)[1].mean(-1)


def _gather_points(y: Tensor, index: Tensor) -> Tensor:
    """Gather points (..., n, d) of y (..., m, d); gradients are summed in a deterministic order.

    The backward pass of gather is deterministic on a CPU only, that of indexing on a CUDA device too.
    """
    if y.is_cuda:
        return gather_by_indexing(y, index)
    return y.gather(-2, index.unsqueeze(-1).expand(*index.shape, y.shape[-1]))


def gather_by_indexing(y: Tensor, index: Tensor) -> Tensor:
    """Gather points by one indexing operation over all batches.

    Args:
        y: points (..., m, d).
        index: indices into y (..., n).

    Returns:
        (..., n, d).
    """
    batches = index.shape[:-1]
    offset = torch.arange(batches.numel(), device=y.device).view(*batches, 1) * y.shape[-2]
    return y.flatten(0, -2)[offset + index]
