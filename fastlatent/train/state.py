"""State of a training: everything that determines its continuation."""

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

BEST_METRIC = "test/autoencoder/loss"  # minimal at the best weights


class TrainingState:
    """The model, the optimizers of its phases, the random generators, the position and the records.

    On a CPU, a training restored from `state_dict` at any step is bitwise identical to an uninterrupted one.

    Args:
        model: model on the device.
        phases: its phases with their optimizers.
        train: training examples on the device.
        config: options of the trainer.
        context: ranks over which the batches are distributed.
    """

    def __init__(
        self,
        model: GenerativeModel,
        phases: Sequence[PhaseOptimizer],
        train: Split,
        config: TrainConfig,
        context: DataParallelContext = SINGLE_PROCESS,
    ) -> None:
        self.model, self.phases, self.train, self.config, self.context = model, phases, train, config, context
        self.steps_per_epoch, self.device = len(train) // config.batch_size, train.x.device
        self.labeled = train.labeled()
        self.run_phases: Step = CUDAGraphStep(self._run_phases) if config.cuda_graph else self._run_phases
        self.precision = phases[0].fabric.strategy.precision  # may contain a loss scale
        self.order = torch.Generator().manual_seed(config.seed)
        self.epoch_order = self.order.get_state()  # at the start of the epoch
        self.epoch, self.step = 1, 0  # the current epoch, and the number of its completed steps
        self.start_time = time.perf_counter()  # start of the epoch, without interruptions
        self.losses = LossHistory(self.steps_per_epoch, self.device, context)
        self.history: list[Record] = []
        self.best: dict[str, Any] = {"epoch": 0, "loss": float("inf"), "weights": {}}

    @property
    def total_steps(self) -> int:
        """Number of completed steps in all epochs."""
        return (self.epoch - 1) * self.steps_per_epoch + self.step

    @property
    def is_finished(self) -> bool:
        """Whether all epochs are complete."""
        return self.epoch > (self.config.epochs or 0)

    def batches(self) -> Iterator[Batch]:
        """Iterate over the remaining batches of the epoch."""
        self.order.set_state(self.epoch_order)
        size = self.config.batch_size
        return islice(self.train.shuffled(size, self.order, self.context.local_slice(size)), self.step, None)

    def train_step(self, batch: Batch) -> None:
        """Run one step: for each phase its loss, the gradient and the optimizer; then the learning rate schedules."""
        terms = self.run_phases([self._phase_batch(phase.phase, batch) for phase in self.phases])
        self.losses.write(self.step, terms)
        for phase in self.phases:
            phase.schedule.step()
        self.step += 1

    def _run_phases(self, batches: Sequence[Batch]) -> list[Mapping[str, Tensor]]:
        """Run a step of each phase on its batch; return the loss terms of each."""
        return [phase.step(batch) for phase, batch in zip(self.phases, batches, strict=True)]

    def _phase_batch(self, phase: Phase, batch: Batch) -> Batch:
        """Return the batch; for a phase that needs labels, if some are missing, a random batch of labeled examples."""
        resample = phase.labeled_only and 0 < len(self.labeled) < len(self.train)
        return self.labeled[self.context.local_draw(len(batch.x), self.labeled.random_rows)] if resample else batch

    def record(self) -> Record:
        """Return number, time, speed and mean loss terms of the epoch so far; synchronizes with the host."""
        means = {f"train/{term}": value for term, value in self.losses.means(self.step).items()}
        seconds = time.perf_counter() - self.start_time
        speed = self.step * self.config.batch_size / seconds
        return {"epoch": self.epoch, "seconds": seconds, "examples_per_second": speed, **means}

    def finish_epoch(self, record: Record) -> None:
        """Store the record of the epoch, and the weights if they are the best so far; start the next epoch."""
        self.history.append(record)
        if record.get(BEST_METRIC, float("inf")) < self.best["loss"]:
            weights = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
            self.best = {"epoch": self.epoch, "loss": record[BEST_METRIC], "weights": weights}
        self.losses.next_epoch()
        self.epoch_order = self.order.get_state()
        self.epoch, self.step, self.start_time = self.epoch + 1, 0, time.perf_counter()

    def is_finite(self) -> bool:
        """Return whether all parameters are finite; synchronizes with the host."""
        return all(bool(parameter.isfinite().all()) for parameter in self.model.parameters())

    def state_dict(self) -> dict[str, Any]:
        """Return the state as nested dicts and lists of tensors, numbers and strings."""
        return {
            "steps_per_epoch": self.steps_per_epoch,
            "epoch": self.epoch,
            "step": self.step,
            "seconds": time.perf_counter() - self.start_time,
            "model": self.model.state_dict(),
            "phases": {phase.phase.name: phase.state_dict() for phase in self.phases},
            "precision": self.precision.state_dict(),
            "order": self.epoch_order,
            "generators": _generator_states(self.device),
            "losses": self.losses.state_dict(self.step),
            "history": self.history,
            "best": self.best,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state of `state_dict`.

        Raises:
            KeyError, RuntimeError, ValueError: if the state is of another model or other data.
        """
        if state["steps_per_epoch"] != self.steps_per_epoch:
            raise ValueError(f"an epoch had {state['steps_per_epoch']} steps; it has {self.steps_per_epoch}")
        self.epoch, self.step, self.start_time = state["epoch"], state["step"], time.perf_counter() - state["seconds"]
        self.model.load_state_dict(state["model"])
        for phase in self.phases:
            phase.load_state_dict(state["phases"][phase.phase.name])
        self.precision.load_state_dict(state["precision"])
        self.epoch_order = state["order"]
        self.losses.load_state_dict(state["losses"])
        self.history, self.best = state["history"], state["best"]
        _restore_generators(self.device, state["generators"])


def _generator_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of torch's default generators, of the CPU and of the device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = torch.get_device_module(device).get_rng_state()
    return states


def _restore_generators(device: torch.device, states: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type in states and device.type != "cpu":
        torch.get_device_module(device).set_rng_state(states[device.type])
