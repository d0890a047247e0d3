"""Losses between point clouds: nearest neighbors and the Chamfer distance."""

import torch
from torch import Tensor

from ..kernels import pairwise
from ..kernels.precision import widen
from ..utils import checks


def nearest(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """For each point of x its nearest point of y: argmin_j ‖xᵢ−yⱼ‖² and its value.

    Args:
        x: points (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        y: points (..., m, d).

    Returns:
        Indices into y (..., n), int64, the lowest of equals; and the squared distances (..., n), differentiable in both
        samples, in the dtype of x (float32 for half precision).

    Raises:
        TypeError, ValueError: for arguments outside what is said here.
    """
    checks.samples(x, y)
    index = pairwise.nearest(x, y)
    x, y = widen(x), widen(y)  # before the points are chosen: gradients of one chosen often are summed in float32
    return index, (x - _chosen(y, index)).square().sum(-1)


def chamfer_distance(x: Tensor, y: Tensor) -> Tensor:
    """Chamfer distance: mean_i min_j ‖xᵢ−yⱼ‖² + mean_j min_i ‖xᵢ−yⱼ‖².

    Args:
        x: points (..., n, d); leading dimensions are batches.
        y: points (..., m, d).

    Returns:
        (...,) in the dtype of x, float32 for half precision. At a tie the gradient goes to the lowest index.

    Raises:
        TypeError, ValueError: for arguments outside what is said here.

    Source: Fan et al. 2017, "A point set generation network for 3D object reconstruction from a single image", (6).
    """
    checks.samples(x, y)
    x, y = widen(x), widen(y)  # here, for the gradients of both terms to be summed in float32
    return nearest(x, y)[1].mean(-1) + nearest(y, x)[1].mean(-1)


def _chosen(y: Tensor, index: Tensor) -> Tensor:
    """Points (..., n, d) of y (..., m, d), whose gradients add up in a fixed order.

    That of gather is fixed on a CPU, but not on a CUDA device, where that of indexing is.
    """
    if y.is_cuda:
        return indexed(y, index)
    return y.gather(-2, index.unsqueeze(-1).expand(*index.shape, y.shape[-1]))


def indexed(y: Tensor, index: Tensor) -> Tensor:
    """The same by indexing, of all batches at once."""
    batches = index.shape[:-1]
    first = torch.arange(batches.numel(), device=y.device).view(*batches, 1) * y.shape[-2]
    return y.flatten(0, -2)[first + index]
