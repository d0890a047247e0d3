"""Keeps a training: its state on disk when that is due, a stop when asked for, and no loss that is lost."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import run_dir as files
from .checkpoint import Checkpoints
from .signals import DivergenceError, StopSignals, TrainingInterrupted

if TYPE_CHECKING:
    from .state import TrainingState

CHECKPOINTS = "checkpoints"  # in the run folder


class CheckpointManager:
    """What is done beside the steps of a training.

    Args:
        state: of the training.
        run: its folder.
        interrupts: whether the training was asked to stop.
    """

    def __init__(self, state: "TrainingState", run: Path, interrupts: StopSignals) -> None:
        self.state, self.run, self.interrupts = state, run, interrupts
        self.checkpoints = Checkpoints(run / CHECKPOINTS, state.config.keep_last)
        self.saved: Path | None = None  # the newest checkpoint
        self.saved_at, self.saved_time = -1, time.monotonic()  # its step, and when
        self.context = state.context

    def resume(self) -> str:
        """Restore the newest whole checkpoint, or begin anew if there is none; damaged ones are removed.

        Returns:
            What to say of it.

        Raises:
            OSError: if there are checkpoints, but none is whole.
            ValueError: if it is of another model, or of other data.
        """
        loaded = self.checkpoints.newest()
        damaged = loaded.damaged if loaded else {}
        if loaded is not None:
            try:
                self.state.load_state_dict(loaded.state)
            except (RuntimeError, KeyError, ValueError) as error:
                raise ValueError(f"{loaded.path} is of another model or other data: {error}") from error
            self.saved, self.saved_at = loaded.path, self.state.total
        if self.writes:
            files.write_metrics(self.run, self.state.history)  # without the lines of what is done again
            for path in damaged:
                self.checkpoints.remove(path)
            self.checkpoints.tidy()
        if loaded is None:
            return f"{self.run} has no checkpoint: beginning anew"
        wrong = [f"checkpoint {path} is damaged ({what}), so " for path, what in damaged.items()]
        if self.state.finished:
            return "".join([*wrong, f"{self.run} is finished: there is nothing to go on with"])
        return "".join([*wrong, f"going on after {self._position()}, from {loaded.path}"])

    def after_step(self) -> None:
        """Stop if asked to, save if it is time, look at the losses now and then; several ranks all at the same step.

        Raises:
            Interrupted: after saving, if asked to stop.
            Diverged: if a loss is lost.
            OSError: naming the path, if the state cannot be written.
        """
        looks = self.state.step == 0 or self.state.total % self.state.config.log_every == 0
        if self.context.size > 1 and not looks:
            return
        due, caught = self.context.all_reduce_max(self._due(), self.interrupts.caught or 0, device=self.state.device)
        if caught:
            self._stop(caught)
        elif due:
            self.save()
        elif looks:
            self.look()

    def finish(self) -> None:
        """Save the end of the training: a last checkpoint, model.safetensors, best.safetensors."""
        self.save()
        if not self.writes:
            return
        files.save_weights(self.run / files.WEIGHTS, self.state.model.state_dict())
        if self.state.best["weights"]:
            files.save_weights(self.run / files.BEST, self.state.best["weights"])

    def save(self) -> None:
        """Write a checkpoint, unless there is one of this step; raises as `after_step`."""
        if self.state.total == self.saved_at:
            return
        self.look()
        if not self.state.finite():
            raise DivergenceError(f"weights are not finite after {self._position()}; {self.kept()}")
        if self.writes:
            self.checkpoints.save(self.state.total, self.state.state_dict())
        self.saved = self.checkpoints.path(self.state.total)
        self.saved_at, self.saved_time = self.state.total, time.monotonic()

    def look(self) -> None:
        """Raise Diverged if a loss of this epoch is lost."""
        self.state.terms.merge(self.state.step)
        if bad := self.state.terms.bad(self.state.step):
            where = f"step {bad.step} of epoch {self.state.epoch}"
            raise DivergenceError(f"the loss of phase {bad.phase!r} is {bad.value:g} at {where}; {self.kept()}")

    def kept(self) -> str:
        """Which checkpoint there is."""
        return f"the last good checkpoint is {self.saved}" if self.saved else "there is no checkpoint yet"

    @property
    def writes(self) -> bool:
        """Whether this process writes the files of the run: the first one does."""
        return self.context.rank == 0

    def _due(self) -> bool:
        config, since = self.state.config, self.state.total - max(self.saved_at, 0)
        epochs = config.checkpoint_epochs
        return (
            time.monotonic() - self.saved_time >= config.checkpoint_seconds
            or (config.checkpoint_steps is not None and since >= config.checkpoint_steps)
            or (epochs is not None and self.state.step == 0 and since >= epochs * self.state.steps)
        )

    def _stop(self, signal: int) -> None:
        self.save()
        raise TrainingInterrupted(f"stopped after {self._position()}; saved as {self.saved}", self.run, signal)

    def _position(self) -> str:
        state = self.state
        return f"step {state.step} of epoch {state.epoch}" if state.step else f"epoch {state.epoch - 1}"
