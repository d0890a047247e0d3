"""Concatenation of codes with one-hot labels."""

import torch
from torch import Tensor

from ...data.batch import UNLABELED


def prepend_one_hot(label: Tensor, num_classes: int, z: Tensor) -> Tensor:
    """Return [y; z] (n, num_classes + d), y the one-hot label, or zeros for the label −1.

    Args:
        label: labels (n,), −1 for unlabeled examples.
        num_classes: number of classes.
        z: codes (n, d).
    """
    y = label[:, None] == torch.arange(num_classes, device=label.device)
    return torch.cat([y.to(z.dtype), z], dim=1)


def append_one_hot(z: Tensor, label: Tensor, num_classes: int) -> Tensor:
    """Return [z; y] (n, d + num_classes + 1), y the one-hot label, whose last class is that of the label −1.

    Args:
        z: codes (n, d).
        label: labels (n,), −1 for unlabeled examples.
        num_classes: number of classes.
    """
    y = torch.where(label == UNLABELED, num_classes, label)[:, None]
    return torch.cat([z, (y == torch.arange(num_classes + 1, device=label.device)).to(z.dtype)], dim=1)
