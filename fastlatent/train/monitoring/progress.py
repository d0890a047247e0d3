"""Progress display: a bar on a terminal, plain lines elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..run_dir import Record
from ..state import TrainingState

REFRESH_SECONDS = 0.5  # between updates of the bar, each of which synchronizes with the host
PLAIN_LINES = 10  # number of lines in total if the output is not a terminal


class ProgressDisplay:
    """Shows the position, the losses and the speed of a training.

    Args:
        console: console to print to.
        state: state of the training.
    """

    def __init__(self, console: Console, state: TrainingState) -> None:
        self.console, self.state, self.epochs = console, state, state.config.epochs or 0
        self.last_refresh = time.monotonic()
        self.bar = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}"),
            BarColumn(bar_width=16),  # fits in 80 columns
            TextColumn("{task.fields[latest]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        total = self.epochs * state.steps_per_epoch
        self.task = self.bar.add_task("", total=total, completed=state.total_steps, epoch="", latest="")

    def __enter__(self) -> "ProgressDisplay":
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.console.is_terminal:
            self.bar.stop()

    def update_step(self) -> None:
        """Update the bar after a training step, at most every `REFRESH_SECONDS`."""
        if self.console.is_terminal and time.monotonic() - self.last_refresh >= REFRESH_SECONDS:
            self._update_bar(self.state.record())

    def update_epoch(self) -> None:
        """Show the last record of the state's history."""
        record = self.state.history[-1]
        epoch = int(record["epoch"])
        every = max(1, self.epochs // PLAIN_LINES)
        if self.console.is_terminal:
            self._update_bar(record)
        elif epoch % every == 0 or epoch == self.epochs:
            line = f"epoch {epoch}/{self.epochs}  {format_terms(record)}  {_format_speed(record)}"
            self.console.print(line, highlight=False, soft_wrap=True)

    def _update_bar(self, record: Record) -> None:
        self.last_refresh = time.monotonic()
        losses = " ".join(f"{terms['loss']:.3g}" for terms in _terms_by_phase(record).values())
        latest = f"loss {losses}  {_format_speed(record)}"
        epoch = f"{record['epoch']}/{self.epochs}"
        self.bar.update(self.task, completed=self.state.total_steps, epoch=epoch, latest=latest)


def format_terms(record: Record) -> str:
    """Format the training terms of an epoch; for models with several phases, under the name of each phase."""
    phases = _terms_by_phase(record)
    texts = ["  ".join(f"{term} {value:.3g}" for term, value in terms.items()) for terms in phases.values()]
    return texts[0] if len(texts) == 1 else " | ".join(map(": ".join, zip(phases, texts, strict=True)))


def _terms_by_phase(record: Record) -> dict[str, Record]:
    """Return the training terms of each phase."""
    phases: dict[str, Record] = {}
    for name, value in record.items():
        if name.startswith("train/"):
            _, phase, term = name.split("/", 2)
            phases.setdefault(phase, {})[term] = value
    return phases


def _format_speed(record: Record) -> str:
    return f"{record['examples_per_second']:,.0f} examples/s"
