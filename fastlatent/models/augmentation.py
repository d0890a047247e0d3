"""Views of data: copies changed at random in ways that leave their meaning, for models that are to disregard those."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from ..utils import checks
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext

Augmentation = Callable[[Tensor, DataParallelContext], Tensor]
"""From x (n, *shape), and the ranks that draw its random numbers, to a copy changed at random."""

MOVED = 0.5  # how far an image is moved, for how far it is slanted


class RandomAffine:
    """Images slanted, turned, scaled and moved a little: x'(p) = x(p + A·p + b), anew for each image.

    p has coordinates from −1 to 1 over the image; between pixels x is interpolated bilinearly, outside it is 0. The
    entries of A (2, 2) come from N(0, amount²); those of b from N(0, (amount/2)²), for digits that are centerd already.

    Args:
        amount: standard deviation of A's entries, ≥ 0; with 0.2 the corners of 28×28 images move by 4 pixels.

    Source: the affine distortions of Hu et al. 2017, "Learning discrete representations via information maximizing
    self-augmented training", section 3.1.
    """

    def __init__(self, amount: float = 0.2) -> None:
        self.amount = checks.non_negative("amount", amount)

    def __call__(self, x: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Deformed images, of the shape and dtype of x.

        Args:
            x: images (n, channels, h, w).
            context: ranks over which the images are distributed.

        Raises:
            ValueError: if x has other dimensions.
        """
        if x.dim() != 4:
            raise ValueError(f"x must be images (n, channels, h, w); got {tuple(x.shape)}")
        exact = x if x.dtype == torch.float64 else x.float()  # 16 bits are too coarse for the place of a pixel
        still = torch.eye(2, 3, device=x.device, dtype=exact.dtype)
        change = self.amount * context.normal_like(still.expand(len(x), 2, 3))
        change[:, :, 2] *= MOVED
        grid = affine_grid(still + change, list(x.shape), align_corners=False)
        return grid_sample(exact, grid, align_corners=False).to(x.dtype)
