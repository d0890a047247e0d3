"""Reproductions: the runs of a recipe, and its table with what was obtained beside what was reported."""

import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..evaluate.evaluated_model import KMEANS_STARTS
from ..evaluate.metrics.result import MetricResult
from ..evaluate.report.results import read_results
from ..train.run_dir import read_metrics
from ..utils.atomic import atomic_write
from .evaluate import Interval, evaluate_run, t_interval
from .recipes import Budget, Planned, Recipe, RecipeColumn
from .sweep import finished, train

JSON, TABLE = "reproduction.json", "reproduction.md"
SECONDS = "Seconds an epoch"


@dataclass(frozen=True)
class Cell:
    """A number of the table.

    Args:
        obtained: over seeds, in the unit of the column.
        reported: the paper's, as text; "" where there is none.
        percent: whether it is in per cent, shown with two decimals as papers do.
    """

    obtained: Interval
    reported: str
    percent: bool


@dataclass(frozen=True)
class Reproduction:
    """What came of a recipe.

    Args:
        recipe: its name.
        budget: "full" or "short".
        cells: by row and column; a column that does not apply to a row is missing there.
        seconds: of training, by row, all seeds together.
        processor: what it ran on.
        day: when.
    """

    recipe: str
    budget: Budget
    cells: dict[str, dict[str, Cell]]
    seconds: dict[str, float]
    processor: str
    day: str


def reproduce(
    recipe: Recipe, budget: Budget, folder: Path, say: Callable[[str], object] = print, **changes: Any
) -> Reproduction:
    """Train each row of a recipe with each seed, measure, and write reproduction.json and reproduction.md.

    What is trained is not trained again, and what was stopped goes on: so does a reproduction that is called again.

    Args:
        recipe: the table.
        budget: "full" or "short".
        folder: of the reproduction; each run has its own in it.
        say: called with a line before each run.
        changes: options that override the recipe's, `seeds` among them.

    Raises:
        ValueError: for an option that a model does not have, or if a run fails, such as one whose loss diverges.
        OSError: if a file cannot be read or written.
    """
    planned = recipe.runs(budget, folder, **changes)
    found: dict[str, list[list[MetricResult]]] = {row.name: [] for row in recipe.rows}
    seconds = dict.fromkeys(found, 0.0)
    for number, (row, run) in enumerate(planned, 1):
        own = run.training.out
        assert own is not None  # of a plan
        say(f"run {number}/{len(planned)}  {own.name}{'  finished' if finished(own) else ''}")
        if not finished(own) and (error := train(run, own)):
            raise ValueError(f"{own.name} failed: {error}")
        took = _epochs(own)
        seconds[row] += sum(took)
        metrics = _metrics(own, row, recipe, recipe.kmeans_starts.get(budget, KMEANS_STARTS))
        found[row].append([*metrics, MetricResult(SECONDS, "this run", sum(took) / len(took))])
    cells = {row.name: _cells(found[row.name], recipe.columns, row.reported) for row in recipe.rows}
    done = Reproduction(recipe.name, budget, cells, seconds, _processor(planned), time.strftime("%Y-%m-%d"))
    text = json.dumps(asdict(done), indent=2, ensure_ascii=False)
    atomic_write(folder / JSON, lambda path: path.write_text(text + "\n"))
    atomic_write(folder / TABLE, lambda path: path.write_text(markdown(recipe, done)))
    return done


def markdown(recipe: Recipe, done: Reproduction) -> str:
    """The table as a page shows it: obtained / reported."""
    headings = [column.heading for column in recipe.columns]
    lines = [["", *headings, "training"], ["---", *["---:"] * (len(headings) + 1)]]
    for row, cells in done.cells.items():
        texts = [cell_text(cells[heading]) if heading in cells else "" for heading in headings]
        lines.append([row, *texts, f"{done.seconds[row]:,.0f} s"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell_text(cell: Cell) -> str:
    """The number, and after a stroke what was reported."""
    obtained = cell.obtained.written("{:.2f}".format) if cell.percent else cell.obtained.text
    return f"{obtained} / {cell.reported}" if cell.reported else obtained


def _metrics(run: Path, row: str, recipe: Recipe, starts: int) -> list[MetricResult]:
    """Return the metrics of a run's report, after evaluating the run if metrics of the recipe are missing."""
    results = read_results(run)
    columns = [column for column in recipe.columns if column.applies(row) and column.group != SECONDS]
    if not recipe.metrics or all(_of_column(results, column) for column in columns):
        return results
    return evaluate_run(run, starts=starts, names=recipe.metrics).metrics


def _of_column(results: Sequence[MetricResult], column: RecipeColumn) -> list[float]:
    """Return the values of the column."""
    scale = 100.0 if column.percent else 1.0
    matching = (r for r in results if r.group.startswith(column.group) and r.label.startswith(column.label))
    return [scale * result.value for result in matching]


def _cells(seeds: Sequence[Sequence[MetricResult]], columns: Sequence[RecipeColumn], reported: Any) -> dict[str, Cell]:
    cells = {}
    for column in columns:
        if values := [value for results in seeds for value in _of_column(results, column)[:1]]:
            reports = str(reported.get(column.heading, ""))
            cells[column.heading] = Cell(t_interval(values), reports, column.percent)
    return cells


def _epochs(run: Path) -> list[float]:
    """Seconds of each epoch."""
    return [record["seconds"] for record in read_metrics(run)]


def _processor(planned: Sequence[Planned]) -> str:
    threads = planned[0].run.training.threads
    return f"{platform.processor() or platform.machine()}, {threads} thread{'s' if threads > 1 else ''}"
