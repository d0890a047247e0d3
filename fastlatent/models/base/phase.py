"""Training phases of a model, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from ...data.batch import Batch
from .data_parallel import SINGLE_PROCESS, DataParallelContext


class Loss(Protocol):
    """Loss of a training phase: a function from a batch to named terms."""

    def __call__(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS, /) -> Mapping[str, Tensor]:
        """Return the terms of the loss, of which "loss" is minimized.

        Args:
            batch: this rank's part of the batch.
            context: ranks over which the batch is distributed.
        """


@dataclass(frozen=True)
class Phase:
    """Training phase: a loss, the parameters that it updates, and β₁ of their optimizer.

    Each batch goes through all phases of a model in order.

    Args:
        name: name, unique in its model.
        parameters: parameters that the optimizer of this phase updates.
        loss: function from a batch to the terms to log, of which "loss" is minimized.
        beta1: β₁ of Adam.
        labeled_only: whether the batches of this phase are drawn from the labeled examples, if only some are labeled.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    loss: Loss
    beta1: float = 0.9
    labeled_only: bool = False
