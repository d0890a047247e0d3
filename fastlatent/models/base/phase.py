"""What a model tells the trainer: its training phases, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from ...data.batch import Batch
from .data_parallel import SINGLE_PROCESS, DataParallelContext


class Loss(Protocol):
    """Loss of a training phase, from a batch to its terms."""

    def __call__(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS, /) -> Mapping[str, Tensor]:
        """Return the terms of the loss, of which "loss" is minimized.

        Args:
            batch: this rank's part of the batch.
            context: ranks over which the batch is distributed.
        """


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
