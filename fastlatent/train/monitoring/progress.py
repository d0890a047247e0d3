"""Progress on the screen: a bar on a terminal, a plain line now and then elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..run_dir import Record
from ..state import TrainingState

SHOW_SECONDS = 0.5  # between looks at the losses, each of which waits for the device
PLAIN_LINES = 10  # lines in all when the output is no terminal


class ProgressDisplay:
    """Shows the epochs of a run with their terms.

    Args:
        console: where to.
        state: of the training.
    """

    def __init__(self, console: Console, state: TrainingState) -> None:
        self.console, self.state, self.epochs = console, state, state.config.epochs or 0
        self.shown = time.monotonic()
        self.bar = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}"),
            BarColumn(bar_width=16),  # so that the whole fits in 80 columns
            TextColumn("{task.fields[latest]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self.task = self.bar.add_task("", total=self.epochs * state.steps, completed=state.total, epoch="", latest="")

    def __enter__(self) -> "ProgressDisplay":
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.console.is_terminal:
            self.bar.stop()

    def step(self) -> None:
        """One training step is done."""
        if self.console.is_terminal and time.monotonic() - self.shown >= SHOW_SECONDS:
            self._show(self.state.record())

    def epoch(self) -> None:
        """An epoch is done, the last of the state's history."""
        record = self.state.history[-1]
        number = int(record["epoch"])
        every = max(1, self.epochs // PLAIN_LINES)
        if self.console.is_terminal:
            self._show(record)
        elif number % every == 0 or number == self.epochs:
            line = f"epoch {number}/{self.epochs}  {terms_text(record)}  {_speed(record)}"
            self.console.print(line, highlight=False, soft_wrap=True)

    def _show(self, record: Record) -> None:
        """The losses and the speed, in the bar."""
        self.shown = time.monotonic()
        losses = " ".join(f"{terms['loss']:.3g}" for terms in _phases(record).values())
        latest = f"loss {losses}  {_speed(record)}"
        done = self.state.total
        self.bar.update(self.task, completed=done, epoch=f"{record['epoch']}/{self.epochs}", latest=latest)


def terms_text(record: Record) -> str:
    """The training terms of an epoch: of a model with several phases, each phase's under its name."""
    phases = _phases(record)
    texts = ["  ".join(f"{term} {value:.3g}" for term, value in terms.items()) for terms in phases.values()]
    return texts[0] if len(texts) == 1 else " | ".join(map(": ".join, zip(phases, texts, strict=True)))


def _phases(record: Record) -> dict[str, Record]:
    """The training terms of each phase, by name."""
    phases: dict[str, Record] = {}
    for name, value in record.items():
        if name.startswith("train/"):
            _, phase, term = name.split("/", 2)
            phases.setdefault(phase, {})[term] = value
    return phases


def _speed(record: Record) -> str:
    return f"{record['examples_per_second']:,.0f} examples/s"
