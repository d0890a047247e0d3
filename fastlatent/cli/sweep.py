"""Command `fastlatent sweep MODEL`."""

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
from ..experiments.sweep import CSV, JSON, SweepRow, format_value, summarize, sweep
from ..models import MODEL_CONFIGS
from ..models.configs import ModelConfig
from ..train import TrainingInterrupted
from .exits import exit_on_user_errors, exit_with
from .lists import combinations, to_lists

METRIC_WIDTH, COLUMN_GAP = 15, 3  # characters: a metric with its standard deviation, the space between columns


def _subcommand(name: str, config: type[ModelConfig]) -> Any:
    """Return the subcommand of a model, whose options are lists."""
    default = to_lists(default_run(config))
    summary = (config.__doc__ or "").splitlines()[0]
    return Annotated[type(default), subcommand(name, default=default, description=summary)]


if TYPE_CHECKING:
    ModelRuns = Run[Any]
else:
    ModelRuns = Union[tuple(_subcommand(name, config) for name, config in MODEL_CONFIGS.items())]  # noqa: UP007


@dataclass(frozen=True)
class Sweep:
    """Train a model with every combination of lists of options, and print a table of metrics.

    Each option takes one or more values; values that are lists are written with commas. A repeated call resumes the
    sweep.
    """

    model_runs: ModelRuns

    def run(self) -> None:
        """Train each combination that is not finished, and print a table."""
        with exit_on_user_errors():
            runs = list(combinations(self.model_runs))
        folder = self.model_runs.training.run_dir or Path("runs") / f"{runs[0].name}-sweep"
        stderr = Console(stderr=True, highlight=False, soft_wrap=True)
        try:
            results = sweep(runs, folder, stderr.print)
        except TrainingInterrupted as interruption:
            exit_with(128 + interruption.signal, f"{interruption}; the same command resumes the sweep")
        print_table(Console(), summarize(results))
        Console().print(f"All metrics: {folder / JSON}, {folder / CSV}", soft_wrap=True)
        if failures := [result for result in results if result.error]:
            exit_with(2, f"error: {len(failures)} of {len(results)} runs failed")


def print_table(console: Console, rows: Sequence[SweepRow]) -> None:
    """Print the table of a sweep, split into tables of as many metrics as fit the width."""
    headings = ["seeds", *(name.replace("_", " ") for name in rows[0].options)]  # words, which wrap in narrow columns
    cells = [[_format_seeds(row), *map(format_value, row.options.values())] for row in rows]
    widths = [max(map(len, [*heading.split(), *column])) for heading, *column in zip(headings, *cells, strict=True)]
    metrics = list(dict.fromkeys(name for row in rows for name in row.metrics))
    per_table = max(1, (console.width - sum(widths) - COLUMN_GAP * len(widths)) // (METRIC_WIDTH + COLUMN_GAP))
    for start in range(0, max(1, len(metrics)), per_table):
        names = metrics[start : start + per_table]
        table = Table(box=box.SIMPLE)
        for heading, width in zip(headings, widths, strict=True):
            table.add_column(heading, width=width)
        for name in names:
            table.add_column(name, justify="right", width=METRIC_WIDTH)
        for row, row_cells in zip(rows, cells, strict=True):
            table.add_row(*row_cells, *(_format_metric(row, name) for name in names))
        console.print(table)
    if any(row.seeds > 1 for row in rows):
        console.print("mean ± standard deviation over seeds", style="dim")


def _format_seeds(row: SweepRow) -> str:
    return f"{row.seeds} of {row.seeds + row.failed}" if row.failed else str(row.seeds)


def _format_metric(row: SweepRow, name: str) -> str:
    if name not in row.metrics:
        return "–"
    mean, deviation = row.metrics[name]
    if not deviation:
        return f"{mean:.4g}"
    decimals = max(0, 1 - math.floor(math.log10(deviation)))  # two significant digits of the deviation
    return f"{mean:.{decimals}f} ± {deviation:.{decimals}f}"
