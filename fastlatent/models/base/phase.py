"""What a model tells the trainer: its training phases, as plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ...data.batch import Batch

Loss = Callable[[Batch], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Phase:
    """One kind of training step: each batch goes through every phase of its model in order.

    Args:
        name: of the phase, unique in its model.
        parameters: what this phase's optimizer moves.
        loss: from a batch to the terms to log, of which "loss" is minimized.
        momentum: of its optimizer, Adam's β₁.
        labeled: whether its batches are best drawn from the examples whose label is known, where those are few.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    loss: Loss
    momentum: float = 0.9
    labeled: bool = False
