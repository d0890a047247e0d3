"""Mini-batches of examples with labels."""

from typing import NamedTuple

import torch
from torch import Tensor

UNLABELED = -1  # label of an example without a known class


class Batch(NamedTuple):
    """Mini-batch: x (n, *shape) with values in [0, 1], and class labels (n,), `UNLABELED` if unknown."""

    x: Tensor
    label: Tensor

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch on a device."""
        return Batch(self.x.to(device), self.label.to(device))
