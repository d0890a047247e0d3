"""ACAI in a single process that interpolates as the ranks of a data-parallel training do."""

import torch
from torch import Tensor

from fastlatent.models import ACAI, GenerativeModel

NUM_RANKS = 2


class LocalNeighborsACAI(ACAI):
    """ACAI in a single process that interpolates with the neighbors within each rank's part of the batch."""

    def interpolate(self, z: Tensor, alpha: Tensor) -> Tensor:
        if not self.training:
            return super().interpolate(z, alpha)
        neighbors = z.unflatten(0, (NUM_RANKS, -1)).roll(1, 1).flatten(0, 1)
        return self.decode(torch.lerp(neighbors, z, alpha))


def interpolate_local_neighbors(model: GenerativeModel) -> None:
    """Make ACAI in a single process interpolate as ranks do."""
    if isinstance(model, ACAI):
        model.__class__ = LocalNeighborsACAI
