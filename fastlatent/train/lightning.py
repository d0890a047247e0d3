"""A model for those who have a Lightning trainer. Needs the package lightning or pytorch-lightning."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from torch import Tensor

from ..data.batch import Batch
from ..models import GenerativeModel
from .optim import adam


def _lightning() -> Any:
    """The package that is loaded already, else one that is installed: a trainer of one takes no module of the other."""
    names = ("lightning.pytorch", "pytorch_lightning")
    for name in sorted(names, key=lambda name: name not in sys.modules):
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError("LightningAutoencoder needs Lightning: pip install lightning", name="lightning")


LightningModule: Any = _lightning().LightningModule


class LightningAutoencoder(LightningModule):
    """A model whose every batch goes through all its training phases, each with an optimizer of its own.

    With the same batches and random numbers a Lightning trainer gives the same weights as `fastlatent.train.fit`. Its
    batches are pairs of x (n, *shape), images with values in [0, 1], and class labels (n,), −1 where not known, as a
    `DataLoader` of a `TensorDataset` gives them. A phase that learns from labels gets them as they come. The terms of
    the losses are logged as train/PHASE/TERM, those of validation batches as val/PHASE/TERM.

    Args:
        model: trained in place.
        lr: Adam's learning rate at the start; it falls to 0 along a cosine by the trainer's last step, so that the
            trainer's max_epochs or max_steps must be finite.
    """

    def __init__(self, model: GenerativeModel, lr: float = 4e-3) -> None:
        super().__init__()
        self.automatic_optimization = False  # there may be more than one phase, hence optimizer
        self.model, self.lr, self.phases = model.train(), lr, model.phases()

    def configure_optimizers(self) -> Any:
        """Adam for each phase, and the schedule of its learning rate."""
        made = [adam(phase, self.lr, int(self.trainer.estimated_stepping_batches)) for phase in self.phases]
        return [optimizer for optimizer, _ in made], [schedule for _, schedule in made]

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Move the parameters of each phase once."""
        optimizers, schedules = _list(self.optimizers()), _list(self.lr_schedulers())
        for phase, optimizer, schedule in zip(self.phases, optimizers, schedules, strict=True):
            self.toggle_optimizer(optimizer)  # no gradient for what another phase moves
            terms = phase.loss(Batch(*batch))
            self.manual_backward(terms["loss"])
            self.untoggle_optimizer(optimizer)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            self._log("train", phase.name, terms)

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Log the terms of each phase."""
        for phase in self.phases:
            self._log("val", phase.name, phase.loss(Batch(*batch)))

    def _log(self, split: str, phase: str, terms: Mapping[str, Tensor]) -> None:
        self.log_dict({f"{split}/{phase}/{term}": value for term, value in terms.items()})


def _list(one_or_more: Any) -> list[Any]:
    """What Lightning gives as a list, or as itself if it is one."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
