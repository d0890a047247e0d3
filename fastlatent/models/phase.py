"""What a model tells the trainer: its training phases, as plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Batch(NamedTuple):
    """One batch: x (n, *shape) with values in [0, 1], and class labels (n,), −1 where the class is not known."""

    x: Tensor
    label: Tensor

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch, on another device."""
        return Batch(self.x.to(device), self.label.to(device))


Loss = Callable[[Batch], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Phase:
    """One kind of training step: each batch goes through every phase of its model in order.

    Args:
        name: of the phase, unique in its model.
        parameters: what this phase's optimiser moves.
        loss: from a batch to the terms to log, of which "loss" is minimised.
        momentum: of its optimiser, Adam's β₁.
        labelled: whether its batches are best drawn from the examples whose label is known, where those are few.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    loss: Loss
    momentum: float = 0.9
    labelled: bool = False
