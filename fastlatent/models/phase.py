"""What a model tells the trainer: its training phases, as plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn


class Batch(NamedTuple):
    """One batch: x (n, *shape) with values in [0, 1], and class labels (n,)."""

    x: Tensor
    label: Tensor


Loss = Callable[[Batch], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Phase:
    """One kind of training step: each batch goes through every phase of its model in order.

    Args:
        name: of the phase, unique in its model.
        parameters: what this phase's optimiser moves.
        loss: from a batch to the terms to log, of which "loss" is minimised.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    loss: Loss
