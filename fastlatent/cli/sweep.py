"""fastlatent sweep MODEL."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

from rich import box
from rich.console import Console
from rich.table import Table
from tyro.conf import subcommand

from ..experiments.run import Run, default_run
from ..experiments.sweep import CSV, JSON, SweepRow, as_word, summary, sweep
from ..models import MODEL_CONFIGS
from ..models.configs import ModelConfig
from ..train import TrainingInterrupted
from .exits import stop, wrong_options
from .lists import combinations, lists

if TYPE_CHECKING:
    Lists = Run[Any]
NUMBER, BETWEEN = 15, 3  # characters on the screen: a number with its deviation, what parts two columns


def _model(name: str, made: type[ModelConfig]) -> Any:
    """A subcommand: lists of the options of a model's run."""
    default = lists(default_run(made))
    summary = (
        f"{(made.__doc__ or '').splitlines()[0]} Each option takes one value or more, a list within them with commas."
    )
    return Annotated[type(default), subcommand(name, default=default, description=summary)]


if not TYPE_CHECKING:
    Lists = Union[tuple(_model(name, made) for name, made in MODEL_CONFIGS.items())]  # noqa: UP007


@dataclass(frozen=True)
class Sweep:
    """Train a model with every combination of lists of options, and compare; a sweep that was stopped goes on."""

    what: Lists

    def run(self) -> None:
        """Train each combination that is not finished, and print a table."""
        with wrong_options():
            runs = list(combinations(self.what))
        folder = self.what.training.out or Path("runs") / f"{runs[0].name}-sweep"
        said = Console(stderr=True, highlight=False, soft_wrap=True)
        try:
            outcomes = sweep(runs, folder, said.print)
        except TrainingInterrupted as stopped:
            stop(128 + stopped.signal, f"{stopped}; the same command goes on")
        print_table(Console(), summary(outcomes))
        Console().print(f"All numbers: {folder / JSON}, {folder / CSV}", soft_wrap=True)
        if failed := [outcome for outcome in outcomes if outcome.error]:
            stop(2, f"error: {len(failed)} of {len(outcomes)} runs failed")


def print_table(console: Console, rows: Sequence[SweepRow]) -> None:
    """The table of a sweep, as many numbers side by side as fit."""
    names = ["seeds", *(name.replace("_", " ") for name in rows[0].options)]  # words, that break where it is narrow
    lines = [[_seeds(row), *map(as_word, row.options.values())] for row in rows]
    widths = [max(map(len, [*name.split(), *words])) for name, *words in zip(names, *lines, strict=True)]
    numbers = list(dict.fromkeys(name for row in rows for name in row.numbers))
    across = max(1, (console.width - sum(widths) - BETWEEN * len(widths)) // (NUMBER + BETWEEN))
    for start in range(0, max(1, len(numbers)), across):
        table = Table(box=box.SIMPLE)
        for name, width in zip(names, widths, strict=True):
            table.add_column(name, width=width)
        for name in numbers[start : start + across]:
            table.add_column(name, justify="right", width=NUMBER)
        for row, line in zip(rows, lines, strict=True):
            table.add_row(*line, *(_number(row, name) for name in numbers[start : start + across]))
        console.print(table)
    if any(row.seeds > 1 for row in rows):
        console.print("mean ± standard deviation over seeds", style="dim")


def _seeds(row: SweepRow) -> str:
    return f"{row.seeds} of {row.seeds + row.failed}" if row.failed else str(row.seeds)


def _number(row: SweepRow, name: str) -> str:
    if name not in row.numbers:
        return "–"
    mean, deviation = row.numbers[name]
    if not deviation:
        return f"{mean:.4g}"
    decimals = max(0, 1 - math.floor(math.log10(deviation)))  # two digits of the deviation
    return f"{mean:.{decimals}f} ± {deviation:.{decimals}f}"
