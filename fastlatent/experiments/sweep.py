"""Sweeps: runs of a model over combinations of options, and a table of their metrics."""

import csv
import io
import json
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from ..train.run_dir import CONFIG, read_config
from ..utils.atomic import atomic_write
from ..utils.run_format import RUN_FORMAT, RunFormatError
from .run import Run, default_run

JSON, CSV, REPORT = "sweep.json", "sweep.csv", "report.html"
FILENAME_REPLACEMENTS = str.maketrans({",": "x", "/": "_", "\\": "_"})
Options = dict[str, Any]


@dataclass(frozen=True)
class RunResult:
    """Result of a run.

    Args:
        run: name of the run folder in the sweep's folder.
        options: options of the run, flat.
        metrics: the model's metrics in its report, by name; empty if the run failed.
        error: message of the error, if the run failed.
    """

    run: str
    options: Options
    metrics: dict[str, float]
    error: str | None = None


@dataclass(frozen=True)
class SweepRow:
    """Runs that differ only in their seed.

    Args:
        options: the options in which the rows differ.
        metrics: mean and standard deviation (over n − 1) across seeds; None if there is one seed.
        seeds: number of finished runs.
        failed: number of failed runs.
    """

    options: Options
    metrics: dict[str, tuple[float, float | None]]
    seeds: int
    failed: int


def sweep(runs: Sequence[Run], folder: Path, log: Callable[[str], object] = print) -> list[RunResult]:
    """Train and evaluate each run in its own folder, and write sweep.json and sweep.csv after each.

    A repeated call skips finished runs and resumes interrupted ones. A failed run, such as one whose loss diverges,
    does not end the sweep.

    Args:
        runs: runs to train; their folders are named by the options that differ from the model's defaults.
        folder: folder of the sweep.
        log: function of a line of text, called before each run.

    Returns:
        The result of each run, in order.

    Raises:
        OSError: if a file cannot be read or written.
        RunFormatError: if an existing run has another format.
    """
    check_existing([folder / run_name(run) for run in runs])
    results: list[RunResult] = []
    for number, run in enumerate(runs, 1):
        run_dir = folder / run_name(run)
        log(f"run {number}/{len(runs)}  {run_dir.name}{'  finished' if is_finished(run_dir) else ''}")
        error = None if is_finished(run_dir) else train_and_report(run, run_dir)
        if error:
            log(f"failed: {error}")
        results.append(RunResult(run_dir.name, run_options(run), {} if error else _model_metrics(run_dir), error))
        _write(folder, results)
    return results


def check_existing(run_dirs: Sequence[Path]) -> None:
    """Require runs of this version's format in those folders that hold a run.

    Raises:
        RunFormatError: if a run has another format.
    """
    for run_dir in run_dirs:
        if (run_dir / CONFIG).is_file():
            read_config(run_dir)


def run_name(run: Run) -> str:
    """Name a run by its options that differ from the defaults, and its seed: "latent_dim=2,lr=0.001,seed=0"."""
    defaults = run_options(default_run(type(run.model)))
    options = {k: v for k, v in run_options(run).items() if k == "seed" or (v != defaults[k] and k != "data_dir")}
    return ",".join(f"{name}={format_value(value).translate(FILENAME_REPLACEMENTS)}" for name, value in options.items())


def format_value(value: Any) -> str:
    """Format the value of an option as `fastlatent sweep` parses it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def run_options(run: Run) -> Options:
    """Return all options except the run folder, flat."""
    return {**run.options(), **{name: value for name, value in asdict(run.training).items() if name != "run_dir"}}


def summarize(results: Sequence[RunResult]) -> list[SweepRow]:
    """Return the table of a sweep: a row for the runs that differ only in their seed."""
    first = results[0].options
    varying = [name for name in first if name != "seed" and any(r.options[name] != first[name] for r in results)]
    rows: dict[tuple[Any, ...], list[RunResult]] = {}
    for result in results:
        rows.setdefault(tuple(result.options[name] for name in varying), []).append(result)
    return [_row(dict(zip(varying, values, strict=True)), members) for values, members in rows.items()]


def _row(options: Options, results: Sequence[RunResult]) -> SweepRow:
    finished = [result.metrics for result in results if result.error is None]
    values = {name: [metrics[name] for metrics in finished] for name in (finished[0] if finished else ())}
    means = {k: (statistics.fmean(v), statistics.stdev(v) if len(v) > 1 else None) for k, v in values.items()}
    return SweepRow(options, means, len(finished), len(results) - len(finished))


def train_and_report(run: Run, run_dir: Path) -> str | None:
    """Train a run in this folder, or resume it, and write its report; return the message of an error."""
    from ..evaluate import write_report

    if run.training.world_size > 1:
        return "devices and num_nodes must be 1 in a sweep, which trains one run after the other in one process"
    resume = (run_dir / CONFIG).is_file()
    if not resume:
        rmtree(run_dir, ignore_errors=True)  # an incomplete config.yaml of a killed process
    try:
        result = replace(run, training=replace(run.training, run_dir=run_dir)).fit(resume=resume)
    except RunFormatError:
        raise
    except (ValueError, TypeError, ArithmeticError) as error:
        return str(error)
    write_report(*result)
    return None


def is_finished(run_dir: Path) -> bool:
    """Return whether the run in this folder is trained and evaluated."""
    return (run_dir / REPORT).is_file()  # the last file that a run writes


def _model_metrics(run_dir: Path) -> dict[str, float]:
    """Return the model's metrics, named by their group, and by their label if the group has several."""
    from ..evaluate.report.results import read_results  # lazy: matplotlib takes long to import

    results = [result for result in read_results(run_dir) if result.is_model]
    counts = Counter(result.group for result in results)
    return {r.group if counts[r.group] == 1 else f"{r.group}: {r.label}": r.value for r in results}


def _write(folder: Path, results: Sequence[RunResult]) -> None:
    content = {"format": RUN_FORMAT, "runs": [asdict(result) for result in results]}
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    atomic_write(folder / JSON, lambda path: path.write_text(text + "\n"))
    table = io.StringIO()
    lines = [{"run": r.run, **_format_options(r.options), **r.metrics, "error": r.error} for r in results]
    writer = csv.DictWriter(table, list(dict.fromkeys(name for line in lines for name in line)))
    writer.writeheader()
    writer.writerows(lines)
    atomic_write(folder / CSV, lambda path: path.write_text(table.getvalue(), newline=""))


def _format_options(options: Options) -> dict[str, str]:
    return {name: format_value(value) for name, value in options.items()}
