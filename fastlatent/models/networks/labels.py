"""Class labels as vectors beside codes."""

import torch
from torch import Tensor

from ...data.batch import UNLABELED


def one_hot(label: Tensor, classes: int, z: Tensor) -> Tensor:
    """[y; z] (n, classes + d): y the one-hot label, zeros where it is −1, of codes z (n, d)."""
    y = label[:, None] == torch.arange(classes, device=label.device)
    return torch.cat([y.to(z.dtype), z], dim=1)


def with_unknown(z: Tensor, label: Tensor, classes: int) -> Tensor:
    """[z; y] (n, d + classes + 1): y the one-hot label, the last class being that of the label −1."""
    y = torch.where(label == UNLABELED, classes, label)[:, None] == torch.arange(classes + 1, device=label.device)
    return torch.cat([z, y.to(z.dtype)], dim=1)
