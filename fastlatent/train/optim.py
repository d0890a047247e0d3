"""The optimizer of a training phase."""

import torch
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler

from ..models import Phase


def adam(
    phase: Phase, lr: float, steps: int, *, constant: bool = False, captured: bool = False
) -> tuple[torch.optim.Adam, LRScheduler]:
    """Adam over the phase's parameters, and the schedule by which its learning rate falls to 0 along a cosine.

    Args:
        phase: of a model, with its β₁.
        lr: learning rate at the start.
        steps: of the whole training.
        constant: whether the rate stays as it is instead.
        captured: whether its steps are replayed from a CUDA graph, which reads the rate from the device.
    """
    rate = torch.tensor(lr, device=phase.parameters[0].device) if captured else lr
    betas = (phase.beta1, 0.999)
    optimizer = torch.optim.Adam(phase.parameters, lr=rate, betas=betas, fused=True, capturable=captured)
    return optimizer, ConstantLR(optimizer, factor=1.0) if constant else CosineAnnealingLR(optimizer, steps)
