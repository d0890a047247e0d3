"""Reproductions: the runs of a recipe, and its table with obtained and reported values."""

import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..evaluate.evaluated_model import KMEANS_STARTS
from ..evaluate.metrics.result import MetricResult
from ..evaluate.report.results import read_results
from ..train.run_dir import read_metrics
from ..utils.atomic import atomic_write
from ..utils.run_format import RUN_FORMAT
from .evaluate import Interval, evaluate_run, t_interval
from .recipes import Budget, Recipe, RecipeColumn, RecipeRun
from .sweep import check_existing, is_finished, train_and_report

JSON, TABLE = "reproduction.json", "reproduction.md"
SECONDS = "Seconds per epoch"


@dataclass(frozen=True)
class TableCell:
    """A value of the table.

    Args:
        obtained: interval over seeds, in the unit of the column.
        reported: value in the paper, as text; empty if there is none.
        percent: whether the unit is per cent, shown with two decimals as in papers.
    """

    obtained: Interval
    reported: str
    percent: bool


@dataclass(frozen=True)
class Reproduction:
    """Results of a recipe.

    Args:
        recipe: name of the recipe.
        budget: "full" or "short".
        cells: cells by row and column, without the columns that do not apply to a row.
        seconds: training time by row, the sum over seeds.
        cpu: CPU and number of threads.
        date: date of the reproduction.
    """

    recipe: str
    budget: Budget
    cells: dict[str, dict[str, TableCell]]
    seconds: dict[str, float]
    cpu: str
    date: str


def reproduce(
    recipe: Recipe, budget: Budget, folder: Path, log: Callable[[str], object] = print, **overrides: Any
) -> Reproduction:
    """Train each row of a recipe with each seed, evaluate, and write reproduction.json and reproduction.md.

    A repeated call skips finished runs and resumes interrupted ones.

    Args:
        recipe: recipe of the table.
        budget: "full" or "short".
        folder: folder of the reproduction, with a run folder for each run.
        log: function of a line of text, called before each run.
        overrides: options that override the recipe's, `seeds` among them.

    Raises:
        ValueError: for an option that a model does not have, or if a run fails, such as one whose loss diverges.
        OSError: if a file cannot be read or written.
        RunFormatError: if an existing run has another format.
    """
    runs = recipe.runs(budget, folder, **overrides)
    check_existing([_run_dir(run) for run in runs])
    kmeans_starts = recipe.kmeans_starts.get(budget, KMEANS_STARTS)
    metrics: dict[str, list[list[MetricResult]]] = {row.name: [] for row in recipe.rows}
    seconds = dict.fromkeys(metrics, 0.0)
    for number, run in enumerate(runs, 1):
        run_dir = _run_dir(run)
        log(f"run {number}/{len(runs)}  {run_dir.name}{'  finished' if is_finished(run_dir) else ''}")
        if not is_finished(run_dir) and (error := train_and_report(run.run, run_dir)):
            raise ValueError(f"{run_dir.name} failed: {error}")
        epochs = [record["seconds"] for record in read_metrics(run_dir)]
        seconds[run.row] += sum(epochs)
        per_epoch = MetricResult(SECONDS, "this run", sum(epochs) / len(epochs))
        metrics[run.row].append([*_run_metrics(run_dir, run.row, recipe, kmeans_starts), per_epoch])
    cells = {row.name: _cells(metrics[row.name], recipe.columns, row.reported) for row in recipe.rows}
    reproduction = Reproduction(recipe.name, budget, cells, seconds, _cpu(runs), time.strftime("%Y-%m-%d"))
    text = json.dumps({"format": RUN_FORMAT, **asdict(reproduction)}, indent=2, ensure_ascii=False)
    atomic_write(folder / JSON, lambda path: path.write_text(text + "\n"))
    atomic_write(folder / TABLE, lambda path: path.write_text(to_markdown(recipe, reproduction)))
    return reproduction


def to_markdown(recipe: Recipe, reproduction: Reproduction) -> str:
    """Return the table, obtained / reported, in Markdown."""
    headings = [column.heading for column in recipe.columns]
    lines = [["", *headings, "training"], ["---", *["---:"] * (len(headings) + 1)]]
    for row, cells in reproduction.cells.items():
        texts = [format_cell(cells[heading]) if heading in cells else "" for heading in headings]
        lines.append([row, *texts, f"{reproduction.seconds[row]:,.0f} s"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def format_cell(cell: TableCell) -> str:
    """Format a cell as "obtained / reported", or "obtained" if nothing is reported."""
    obtained = cell.obtained.format("{:.2f}".format) if cell.percent else cell.obtained.text
    return f"{obtained} / {cell.reported}" if cell.reported else obtained


def _run_dir(run: RecipeRun) -> Path:
    run_dir = run.run.training.run_dir
    assert run_dir is not None  # set by Recipe.runs
    return run_dir


def _run_metrics(run_dir: Path, row: str, recipe: Recipe, kmeans_starts: int) -> list[MetricResult]:
    """Return the metrics of a run; those of the recipe are computed if a column is missing."""
    metrics = read_results(run_dir)
    columns = [column for column in recipe.columns if column.applies_to(row) and column.group != SECONDS]
    if not recipe.metrics or all(_column_values(metrics, column) for column in columns):
        return metrics
    return evaluate_run(run_dir, kmeans_starts=kmeans_starts, metric_names=recipe.metrics).metrics


def _column_values(metrics: Sequence[MetricResult], column: RecipeColumn) -> list[float]:
    scale = 100.0 if column.percent else 1.0
    matches = (m for m in metrics if m.group.startswith(column.group) and m.label.startswith(column.label))
    return [scale * metric.value for metric in matches]


def _cells(
    seeds: Sequence[Sequence[MetricResult]], columns: Sequence[RecipeColumn], reported: Mapping[str, str]
) -> dict[str, TableCell]:
    cells = {}
    for column in columns:
        if values := [value for metrics in seeds for value in _column_values(metrics, column)[:1]]:
            text = str(reported.get(column.heading, ""))
            cells[column.heading] = TableCell(t_interval(values), text, column.percent)
    return cells


def _cpu(runs: Sequence[RecipeRun]) -> str:
    threads = runs[0].run.training.threads
    return f"{platform.processor() or platform.machine()}, {threads} thread{'s' if threads > 1 else ''}"
