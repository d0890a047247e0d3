"""Data augmentation: random transformations that preserve the class."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from ..utils import checks
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext

Augmentation = Callable[[Tensor, DataParallelContext], Tensor]
"""Function from x (n, *shape) and a data-parallel context, the source of random numbers, to transformed copies of x."""

TRANSLATION_RATIO = 0.5  # standard deviation of translations / of the entries of the linear map


class RandomAffine:
    """Random affine transformation x'(p) = x(p + A·p + b), independent for each image.

    p has coordinates from −1 to 1 over the image. Images are interpolated bilinearly between pixels and padded with
    zeros. The entries of A (2, 2) come from N(0, amount²); those of b from N(0, (amount/2)²), for centered digits.

    Args:
        amount: standard deviation of A's entries, ≥ 0; with 0.2 the corners of 28×28 images move by 4 pixels.

    Source: affine distortions of Hu et al. 2017, "Learning discrete representations via information maximizing
    self-augmented training", section 3.1.
    """

    def __init__(self, amount: float = 0.2) -> None:
        self.amount = checks.non_negative("amount", amount)

    def __call__(self, x: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return transformed images, of the shape and dtype of x.

        Args:
            x: images (n, channels, h, w).
            context: ranks over which the images are distributed.

        Raises:
            ValueError: if x is not 4-dimensional.
        """
        if x.dim() != 4:
            raise ValueError(f"x must be images (n, channels, h, w); got {tuple(x.shape)}")
        images = x if x.dtype == torch.float64 else x.float()  # half precision is too coarse for pixel positions
        identity = torch.eye(2, 3, device=x.device, dtype=images.dtype)
        displacement = self.amount * context.normal_like(identity.expand(len(x), 2, 3))
        displacement[:, :, 2] *= TRANSLATION_RATIO
        grid = affine_grid(identity + displacement, list(x.shape), align_corners=False)
        return grid_sample(images, grid, align_corners=False).to(x.dtype)
