"""Optimizer and learning rate schedule of a training phase."""

import torch
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler

from ..models import Phase


def build_adam(
    phase: Phase, lr: float, steps: int, *, constant: bool = False, capturable: bool = False
) -> tuple[torch.optim.Adam, LRScheduler]:
    """Return Adam over the phase's parameters, and its learning rate schedule.

    Args:
        phase: phase of a model, with its β₁.
        lr: initial learning rate.
        steps: number of steps of the training.
        constant: whether the learning rate is constant; otherwise it decays to 0 along a cosine.
        capturable: whether a CUDA graph can capture the optimizer, with the learning rate as a tensor on the device.
    """
    rate = torch.tensor(lr, device=phase.parameters[0].device) if capturable else lr
    betas = (phase.beta1, 0.999)
    optimizer = torch.optim.Adam(phase.parameters, lr=rate, betas=betas, fused=True, capturable=capturable)
    return optimizer, ConstantLR(optimizer, factor=1.0) if constant else CosineAnnealingLR(optimizer, steps)
