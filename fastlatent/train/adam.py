"""The optimiser of a training phase."""

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from ..models import Phase


def adam(phase: Phase, lr: float, steps: int) -> tuple[torch.optim.Adam, CosineAnnealingLR]:
    """Adam over the phase's parameters, and the schedule by which its learning rate falls to 0 along a cosine.

    Args:
        phase: of a model, with its β₁.
        lr: learning rate at the start.
        steps: of the whole training.
    """
    optimizer = torch.optim.Adam(phase.parameters, lr=lr, betas=(phase.momentum, 0.999), fused=True)
    return optimizer, CosineAnnealingLR(optimizer, steps)
