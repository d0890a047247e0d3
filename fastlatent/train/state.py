"""The state of a training: all that decides how it goes on."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from ..data import Split
from ..data.batch import Batch
from ..models import GenerativeModel, Phase
from ..models.base.data_parallel import SINGLE_PROCESS, DataParallelContext
from .config import TrainConfig
from .cuda_graph import CUDAGraphStep, Step
from .monitoring.loss_history import LossHistory
from .phase_optimizer import PhaseOptimizer
from .run_dir import Record

BEST_METRIC = "test/autoencoder/loss"  # least for the best weights


class TrainingState:
    """The model, its phases' optimizers, the generators, the position, and what is logged.

    Restored from `state_dict`, at whatever step that was taken, a training on a CPU goes on bit for bit.

    Args:
        model: on the device.
        movers: its phases.
        train: the examples, on the device.
        config: how to train.
        context: ranks over which the batches are distributed.
    """

    def __init__(
        self,
        model: GenerativeModel,
        movers: Sequence[PhaseOptimizer],
        train: Split,
        config: TrainConfig,
        context: DataParallelContext = SINGLE_PROCESS,
    ) -> None:
        self.model, self.movers, self.train, self.config, self.context = model, movers, train, config, context
        self.steps, self.device = len(train) // config.batch_size, train.x.device
        self.known = train.known()
        self.move: Step = CUDAGraphStep(self._move) if config.cuda_graph else self._move
        self.precision = movers[0].fabric.strategy.precision  # which may scale the losses
        self.order = torch.Generator().manual_seed(config.seed)
        self.epoch_order = self.order.get_state()  # at the start of the epoch
        self.epoch, self.step = 1, 0  # the epoch that is under way, and how many of its steps are done
        self.started = time.perf_counter()  # the epoch, had there been no break
        self.terms = LossHistory(self.steps, self.device, context)
        self.history: list[Record] = []
        self.best: dict[str, Any] = {"epoch": 0, "loss": float("inf"), "weights": {}}

    @property
    def total(self) -> int:
        """Steps done since the first epoch."""
        return (self.epoch - 1) * self.steps + self.step

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch > (self.config.epochs or 0)

    def batches(self) -> Iterator[Batch]:
        """What is left of the epoch's batches."""
        self.order.set_state(self.epoch_order)
        size = self.config.batch_size
        return islice(self.train.shuffled(size, self.order, self.context.local_slice(size)), self.step, None)

    def advance(self, batch: Batch) -> None:
        """One step of each phase."""
        self.terms.write(self.step, self.move([self._for(mover.phase, batch) for mover in self.movers]))
        for mover in self.movers:
            mover.schedule.step()
        self.step += 1

    def _move(self, batches: Sequence[Batch]) -> list[Mapping[str, Tensor]]:
        """A step of each phase, by the batch for each; the terms of each."""
        return [mover.step(batch) for mover, batch in zip(self.movers, batches, strict=True)]

    def _for(self, phase: Phase, batch: Batch) -> Batch:
        """The batch; or one of labeled examples, where the phase learns from those and there are others too."""
        few = phase.labeled_only and 0 < len(self.known) < len(self.train)
        return self.known[self.context.local_draw(len(batch.x), self.known.random_rows)] if few else batch

    def record(self) -> Record:
        """The epoch so far: its number, its time and speed, and the mean of each term; waits for the device."""
        means = {f"train/{term}": value for term, value in self.terms.means(self.step).items()}
        seconds = time.perf_counter() - self.started
        speed = self.step * self.config.batch_size / seconds
        return {"epoch": self.epoch, "seconds": seconds, "examples_per_second": speed, **means}

    def finish_epoch(self, record: Record) -> None:
        """Keep the epoch's record, and the weights if they are the best so far; the next epoch begins."""
        self.history.append(record)
        if record.get(BEST_METRIC, float("inf")) < self.best["loss"]:
            weights = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
            self.best = {"epoch": self.epoch, "loss": record[BEST_METRIC], "weights": weights}
        self.epoch_order, self.terms.merged = self.order.get_state(), 0
        self.epoch, self.step, self.started = self.epoch + 1, 0, time.perf_counter()

    def finite(self) -> bool:
        """Whether all parameters are; waits for the device."""
        return all(bool(parameter.isfinite().all()) for parameter in self.model.parameters())

    def state_dict(self) -> dict[str, Any]:
        """Everything, as nested dicts and lists of tensors, numbers and strings."""
        return {
            "steps": self.steps,
            "epoch": self.epoch,
            "step": self.step,
            "seconds": time.perf_counter() - self.started,
            "model": self.model.state_dict(),
            "phases": {mover.phase.name: mover.state_dict() for mover in self.movers},
            "precision": self.precision.state_dict(),
            "order": self.epoch_order,
            "generators": _generators(self.device),
            "terms": self.terms.state_dict(self.step),
            "history": self.history,
            "best": self.best,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the state was taken.

        Raises:
            KeyError, RuntimeError, ValueError: if it is of another model, or of other data.
        """
        if state["steps"] != self.steps:
            raise ValueError(f"an epoch had {state['steps']} steps; it has {self.steps}")
        self.epoch, self.step, self.started = state["epoch"], state["step"], time.perf_counter() - state["seconds"]
        self.model.load_state_dict(state["model"])
        for mover in self.movers:
            mover.load_state_dict(state["phases"][mover.phase.name])
        self.precision.load_state_dict(state["precision"])
        self.epoch_order = state["order"]
        self.terms.load_state_dict(state["terms"])
        self.history, self.best = state["history"], state["best"]
        _set_generators(self.device, state["generators"])


def _generators(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's own generators: the processor's, and that of the device if it is another."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = torch.get_device_module(device).get_rng_state()
    return states


def _set_generators(device: torch.device, states: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type in states and device.type != "cpu":
        torch.get_device_module(device).set_rng_state(states[device.type])
