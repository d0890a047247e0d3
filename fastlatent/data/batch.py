"""Mini-batches of examples with labels."""

from typing import NamedTuple

import torch
from torch import Tensor

UNLABELED = -1  # the label of an example whose class is unknown


class Batch(NamedTuple):
    """A mini-batch: x (n, *shape) with values in [0, 1], and class labels (n,), `UNLABELED` where unknown."""

    x: Tensor
    label: Tensor

    def to(self, device: torch.device | str) -> "Batch":
        """Copy the batch to a device."""
        return Batch(self.x.to(device), self.label.to(device))
