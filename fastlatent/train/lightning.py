"""Models as Lightning modules; requires the package lightning or pytorch-lightning."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from torch import Tensor

from ..data.batch import Batch
from ..models import GenerativeModel
from .optim import build_adam


def _import_lightning() -> Any:
    """Import Lightning: the package in use, else the installed one; the two packages' classes are incompatible."""
    names = ("lightning.pytorch", "pytorch_lightning")
    for name in sorted(names, key=lambda name: name not in sys.modules):
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError("LightningAutoencoder needs Lightning: pip install lightning", name="lightning")


LightningModule: Any = _import_lightning().LightningModule


class LightningAutoencoder(LightningModule):
    """A model as a LightningModule: each batch passes through all training phases, each with its own optimizer.

    With the same batches and random numbers, a Lightning trainer gives the same weights as `fastlatent.train.fit`. A
    batch is a pair of x (n, *shape), images with values in [0, 1], and class labels (n,), −1 if unknown, as from a
    `DataLoader` of a `TensorDataset`. Batches of phases that need labels are not resampled. Loss terms are logged as
    train/PHASE/TERM, those of validation batches as val/PHASE/TERM.

    Args:
        model: model to train in place.
        lr: initial learning rate of Adam; it decays to 0 along a cosine until the trainer's last step, so the trainer's
            max_epochs or max_steps must be finite.
    """

    def __init__(self, model: GenerativeModel, lr: float = 4e-3) -> None:
        super().__init__()
        self.automatic_optimization = False  # one optimizer per phase
        self.model, self.lr, self.phases = model.train(), lr, model.phases()

    def configure_optimizers(self) -> Any:
        """Return Adam and its learning rate schedule for each phase."""
        steps = int(self.trainer.estimated_stepping_batches)
        optimizers, schedules = zip(*(build_adam(phase, self.lr, steps) for phase in self.phases), strict=True)
        return list(optimizers), list(schedules)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Update the parameters of each phase once."""
        optimizers, schedules = _as_list(self.optimizers()), _as_list(self.lr_schedulers())
        for phase, optimizer, schedule in zip(self.phases, optimizers, schedules, strict=True):
            self.toggle_optimizer(optimizer)  # no gradients for parameters of other phases
            terms = phase.loss(Batch(*batch))
            self.manual_backward(terms["loss"])
            self.untoggle_optimizer(optimizer)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            self._log("train", phase.name, terms)

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Log the loss terms of each phase."""
        for phase in self.phases:
            self._log("val", phase.name, phase.loss(Batch(*batch)))

    def _log(self, split: str, phase: str, terms: Mapping[str, Tensor]) -> None:
        self.log_dict({f"{split}/{phase}/{term}": value for term, value in terms.items()})


def _as_list(one_or_more: Any) -> list[Any]:
    """Return a list; Lightning returns a single optimizer or schedule as itself."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
