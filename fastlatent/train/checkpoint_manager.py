"""Checkpoints, interruption and divergence of a training."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..utils.run_format import RunFileError
from . import run_dir as files
from .checkpoint import Checkpoints
from .signals import DivergenceError, StopSignals, TrainingInterrupted

if TYPE_CHECKING:
    from .state import TrainingState

CHECKPOINTS = "checkpoints"  # in the run folder


class CheckpointManager:
    """Saves the state of a training when due, and stops it on a signal or on divergence.

    Args:
        state: state of the training.
        run_dir: run folder.
        signals: recorder of SIGINT and SIGTERM.
    """

    def __init__(self, state: "TrainingState", run_dir: Path, signals: StopSignals) -> None:
        self.state, self.run_dir, self.signals = state, run_dir, signals
        self.checkpoints = Checkpoints(run_dir / CHECKPOINTS, state.config.keep_last)
        self.newest: Path | None = None  # the newest checkpoint of this process
        self.newest_step, self.newest_time = -1, time.monotonic()
        self.context = state.context

    def resume(self) -> str:
        """Restore the newest intact checkpoint, or start from the first step if there is none.

        Corrupt checkpoints are removed.

        Returns:
            A message with the position.

        Raises:
            OSError: if all checkpoints are corrupt.
            RunFileError: if the checkpoint is of another model or other data, or has another format.
        """
        checkpoint = self.checkpoints.load_newest()
        corrupt = checkpoint.corrupt if checkpoint else {}
        if checkpoint is not None:
            try:
                self.state.load_state_dict(checkpoint.state)
            except (RuntimeError, KeyError, ValueError) as error:
                reason = " ".join(str(error).split())
                raise RunFileError(f"{checkpoint.path} is of another model or other data: {reason}") from error
            self.newest, self.newest_step = checkpoint.path, self.state.total_steps
        if self.is_rank_zero:
            files.write_metrics(self.run_dir, self.state.history)  # without epochs after the checkpoint
            for path in corrupt:
                self.checkpoints.remove(path)
            self.checkpoints.clean_up()
        if checkpoint is None:
            return f"{self.run_dir} has no checkpoint: starting from the first step"
        warnings = [f"checkpoint {path} is corrupt ({reason}); " for path, reason in corrupt.items()]
        if self.state.is_finished:
            return "".join([*warnings, f"{self.run_dir} is finished: nothing to resume"])
        return "".join([*warnings, f"resuming after {self._position()}, from {checkpoint.path}"])

    def after_step(self) -> None:
        """Stop on a signal, save if due, or check the losses; all ranks decide at the same step.

        Raises:
            TrainingInterrupted: on a signal, after saving.
            DivergenceError: if a loss diverged.
            OSError: naming the path, if the state cannot be written.
        """
        check = self.state.step == 0 or self.state.total_steps % self.state.config.log_every == 0
        if self.context.size > 1 and not check:
            return
        due, signal = self.context.all_reduce_max(self._is_due(), self.signals.number or 0, device=self.state.device)
        if signal:
            self._stop(signal)
        elif due:
            self.save()
        elif check:
            self.check_losses()

    def finish(self) -> None:
        """Save the final checkpoint, model.safetensors and best.safetensors."""
        self.save()
        if not self.is_rank_zero:
            return
        files.save_weights(self.run_dir / files.WEIGHTS, self.state.model.state_dict())
        if self.state.best["weights"]:
            files.save_weights(self.run_dir / files.BEST, self.state.best["weights"])

    def save(self) -> None:
        """Write a checkpoint of this step, unless it exists; the exceptions are those of `after_step`."""
        if self.state.total_steps == self.newest_step:
            return
        self.check_losses()
        if not self.state.is_finite():
            raise DivergenceError(f"weights are not finite after {self._position()}; {self.last_checkpoint()}")
        if self.is_rank_zero:
            self.checkpoints.save(self.state.total_steps, self.state.state_dict())
        self.newest = self.checkpoints.path(self.state.total_steps)
        self.newest_step, self.newest_time = self.state.total_steps, time.monotonic()

    def check_losses(self) -> None:
        """Raise DivergenceError if a loss of this epoch diverged."""
        self.state.losses.all_reduce(self.state.step)
        if diverged := self.state.losses.first_diverged(self.state.step):
            position = f"step {diverged.step} of epoch {self.state.epoch}"
            reason = f"the loss of phase {diverged.phase!r} is {diverged.value:g} at {position}"
            raise DivergenceError(f"{reason}; {self.last_checkpoint()}")

    def last_checkpoint(self) -> str:
        """Return a message with the path of the newest checkpoint."""
        return f"the last good checkpoint is {self.newest}" if self.newest else "there is no checkpoint yet"

    @property
    def is_rank_zero(self) -> bool:
        """Whether this process writes the files of the run."""
        return self.context.rank == 0

    def _is_due(self) -> bool:
        config, steps = self.state.config, self.state.total_steps - max(self.newest_step, 0)
        epochs = config.checkpoint_epochs
        return (
            time.monotonic() - self.newest_time >= config.checkpoint_seconds
            or (config.checkpoint_steps is not None and steps >= config.checkpoint_steps)
            or (epochs is not None and self.state.step == 0 and steps >= epochs * self.state.steps_per_epoch)
        )

    def _stop(self, signal: int) -> None:
        self.save()
        raise TrainingInterrupted(f"stopped after {self._position()}; saved as {self.newest}", self.run_dir, signal)

    def _position(self) -> str:
        state = self.state
        return f"step {state.step} of epoch {state.epoch}" if state.step else f"epoch {state.epoch - 1}"
