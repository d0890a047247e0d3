"""Progress on the screen: a bar on a terminal, a plain line now and then elsewhere."""

from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PLAIN_LINES = 10  # lines in all when the output is no terminal


class Watch:
    """Shows the epochs of a run with their terms.

    Args:
        console: where to.
        epochs: how many there will be.
        steps: training steps in each.
    """

    def __init__(self, console: Console, epochs: int, steps: int) -> None:
        self.console, self.epochs, self.steps = console, epochs, steps
        self.bar = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}"),
            BarColumn(bar_width=16),  # so that the whole fits in 80 columns
            TextColumn("{task.fields[latest]}"),
            TimeElapsedColumn(),
            TextColumn("[dim]left"),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self.task = self.bar.add_task("", total=epochs * steps, epoch=f"0/{epochs}", latest="")

    def __enter__(self) -> "Watch":
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.console.is_terminal:
            self.bar.stop()

    def step(self) -> None:
        """One training step is done."""
        self.bar.advance(self.task)

    def epoch(self, number: int, record: Mapping[str, float]) -> None:
        """Epoch `number`, from 1, is done."""
        terms = {name.removeprefix("train/"): value for name, value in record.items() if name.startswith("train/")}
        speed = f"{record['images_per_second']:,.0f} images/s"
        losses = " ".join(f"{value:.3g}" for name, value in terms.items() if name.endswith("/loss"))
        self.bar.update(self.task, epoch=f"{number}/{self.epochs}", latest=f"loss {losses}  {speed}")
        every = max(1, self.epochs // PLAIN_LINES)
        if not self.console.is_terminal and (number % every == 0 or number == self.epochs):
            shown = "  ".join(f"{name.split('/')[-1]} {value:.3g}" for name, value in terms.items())
            self.console.print(f"epoch {number}/{self.epochs}  {shown}  {speed}", highlight=False, soft_wrap=True)
