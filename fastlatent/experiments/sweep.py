"""Sweeps: runs of a model with different options, and a table of what came of them."""

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

from ..train.run_dir import CONFIG
from ..utils.atomic import atomic_write
from .run import Run, default_run

JSON, CSV, REPORT = "sweep.json", "sweep.csv", "report.html"
IN_A_NAME = str.maketrans({",": "x", "/": "_", "\\": "_"})  # of a folder
Options = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Args:
        run: its folder's name, within the sweep's folder.
        options: flat.
        numbers: the model's own numbers in its report, by what they measure; none if the run failed.
        error: why it failed.
    """

    run: str
    options: Options
    numbers: dict[str, float]
    error: str | None = None


@dataclass(frozen=True)
class SweepRow:
    """Runs that differ in nothing but their seed.

    Args:
        options: those in which rows differ.
        numbers: mean and standard deviation (over n − 1) across seeds; None where there is but one.
        seeds: how many runs were finished.
        failed: how many were not.
    """

    options: Options
    numbers: dict[str, tuple[float, float | None]]
    seeds: int
    failed: int


def sweep(runs: Sequence[Run], folder: Path, say: Callable[[str], object] = print) -> list[Outcome]:
    """Train and measure each run in a folder of its own, and write sweep.json and sweep.csv after each.

    A run that is finished is not repeated, and one that was stopped goes on: so does a sweep that is called again.
    A run that fails, such as one whose loss diverges, does not stop the others.

    Args:
        runs: what to train; their folders have the names of those options that are not the model's defaults.
        folder: of the sweep.
        say: called with a line before each run.

    Returns:
        What came of each, in order.

    Raises:
        OSError: if a file cannot be read or written.
    """
    outcomes: list[Outcome] = []
    for number, run in enumerate(runs, 1):
        own = folder / run_name(run)
        say(f"run {number}/{len(runs)}  {own.name}{'  finished' if finished(own) else ''}")
        error = None if finished(own) else train(run, own)
        if error:
            say(f"failed: {error}")
        outcomes.append(Outcome(own.name, options_of(run), {} if error else _numbers(own), error))
        _write(folder, outcomes)
    return outcomes


def run_name(run: Run) -> str:
    """The options that are not the model's defaults, and the seed: "latent_dim=2,lr=0.001,seed=0"."""
    defaults = options_of(default_run(type(run.model)))
    named = {k: v for k, v in options_of(run).items() if k == "seed" or (v != defaults[k] and k != "data_dir")}
    return ",".join(f"{name}={as_word(value).translate(IN_A_NAME)}" for name, value in named.items())


def as_word(value: Any) -> str:
    """The value of an option as `fastlatent sweep` takes it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def options_of(run: Run) -> Options:
    """All options, flat, but the run folder."""
    return {**run.options(), **{name: value for name, value in asdict(run.training).items() if name != "out"}}


def summary(outcomes: Sequence[Outcome]) -> list[SweepRow]:
    """The table of a sweep: a row for the runs that differ in nothing but their seed."""
    first = outcomes[0].options
    varied = [name for name in first if name != "seed" and any(o.options[name] != first[name] for o in outcomes)]
    rows: dict[tuple[Any, ...], list[Outcome]] = {}
    for outcome in outcomes:
        rows.setdefault(tuple(outcome.options[name] for name in varied), []).append(outcome)
    return [_row(dict(zip(varied, values, strict=True)), members) for values, members in rows.items()]


def _row(options: Options, members: Sequence[Outcome]) -> SweepRow:
    done = [member.numbers for member in members if member.error is None]
    values = {name: [numbers[name] for numbers in done] for name in (done[0] if done else ())}
    means = {k: (statistics.fmean(v), statistics.stdev(v) if len(v) > 1 else None) for k, v in values.items()}
    return SweepRow(options, means, len(done), len(members) - len(done))


def train(run: Run, folder: Path) -> str | None:
    """Train in this folder, or go on with what was stopped there, and measure; why that failed."""
    from ..evaluate import write_report

    if run.training.processes > 1:
        return "devices and num_nodes must be 1 in a sweep, which trains one run after the other in one process"
    begun = (folder / CONFIG).is_file()
    if not begun:
        rmtree(folder, ignore_errors=True)  # what was stopped before it began may have left half a file
    try:
        trained = replace(run, training=replace(run.training, out=folder)).fit(resume=begun)
    except (ValueError, TypeError, ArithmeticError) as error:
        return str(error)
    write_report(*trained)
    return None


def finished(folder: Path) -> bool:
    """Whether the run in this folder is trained and measured."""
    return (folder / REPORT).is_file()  # the last file that a run leaves


def _numbers(folder: Path) -> dict[str, float]:
    from ..evaluate.report.results import read_results

    results = [result for result in read_results(folder) if result.is_model]
    counts = Counter(result.group for result in results)
    return {r.group if counts[r.group] == 1 else f"{r.group}: {r.label}": r.value for r in results}


def _write(folder: Path, outcomes: Sequence[Outcome]) -> None:
    text = json.dumps([asdict(outcome) for outcome in outcomes], indent=2, ensure_ascii=False, default=str)
    atomic_write(folder / JSON, lambda path: path.write_text(text + "\n"))
    lines = io.StringIO()
    flat = [{"run": o.run, **_words(o.options), **o.numbers, "error": o.error} for o in outcomes]
    names = dict.fromkeys(name for line in flat for name in line)
    writer = csv.DictWriter(lines, list(names))
    writer.writeheader()
    writer.writerows(flat)
    atomic_write(folder / CSV, lambda path: path.write_text(lines.getvalue(), newline=""))


def _words(options: Options) -> dict[str, str]:
    return {name: as_word(value) for name, value in options.items()}
