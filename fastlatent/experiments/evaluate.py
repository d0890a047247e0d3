"""Evaluating runs from their folders, and several runs together."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from lightning_fabric import Fabric
from scipy.stats import t as students_t

from ..evaluate.evaluated_model import KMEANS_STARTS, EvaluatedModel
from ..evaluate.metrics.registry import compute_metrics
from ..evaluate.metrics.result import MetricResult
from ..evaluate.report.html import Report, write_report
from ..train import TrainConfig, TrainingResult, read_metrics
from ..train.run_dir import read_config
from ..train.trainer import RESUME_INVARIANTS
from ..utils.threads import torch_threads
from .run import load_run, read_run

CONFIDENCE = 0.95
INCIDENTAL = {option.name for option in fields(TrainConfig)} - {*RESUME_INVARIANTS} | {
    "seed",
    "data_dir",
}  # but for chance, these decide nothing


def evaluate_run(folder: Path, *, starts: int = KMEANS_STARTS, names: Collection[str] | None = None) -> Report:
    """Take the measures that apply to a run, on test data, and write its results.json and report.html anew.

    Args:
        folder: of the run.
        starts: of k-means.
        names: of measures to take beside the quick ones; None: all.

    Raises:
        FileNotFoundError: if the folder holds no run, or the files of its data are not there.
        ValueError: if its model was built by hand, or there is no measure of a name.
    """
    run = read_run(folder)
    model, data, config = load_run(folder)
    labeled = None if run.labels_per_class is None else replace(run, labels_per_class=None).load_data().train
    model = model.to(Fabric(accelerator=config.accelerator, devices=1).device)
    with torch_threads(config.threads):
        numbers = compute_metrics(EvaluatedModel(model, data, labeled=labeled, starts=starts), names)
        return write_report(model, data, TrainingResult(folder, read_metrics(folder)), numbers)


@dataclass(frozen=True)
class Interval:
    """A mean over runs with its confidence interval, mean ± half.

    Args:
        mean: over runs.
        half: half the width of the interval; NaN for a single run.
        count: of runs.
    """

    mean: float
    half: float
    count: int

    @property
    def text(self) -> str:
        """As it is shown: the mean and, of several runs, ± half."""
        return self.written(lambda value: MetricResult("", "", value).text)

    def written(self, number: Callable[[float], str]) -> str:
        """The same, each number written so."""
        return number(self.mean) if self.count == 1 else f"{number(self.mean)} ± {number(self.half)}"


def t_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Student's interval for the mean of a normal distribution: x̄ ± t_{(1+c)/2, n−1}·s/√n.

    Args:
        values: one for each run, at least one.
        confidence: c, in (0, 1).

    Raises:
        ValueError: for no value, or another confidence.

    Source: Student 1908, "The probable error of a mean".
    """
    if len(values) == 0:
        raise ValueError("values must be one or more; got none")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1; got {confidence!r}")
    n = len(values)
    if n == 1:
        return Interval(float(values[0]), math.nan, 1)
    half = students_t.ppf((1 + confidence) / 2, n - 1) * np.std(values, ddof=1) / math.sqrt(n)
    return Interval(float(np.mean(values)), float(half), n)


@dataclass(frozen=True)
class CombinedMetric:
    """A number of several configurations, each over its runs.

    Args:
        number: the first run's, for its names.
        intervals: of each configuration that has the number.
    """

    number: MetricResult
    intervals: dict[str, Interval]


def combine(runs: Sequence[tuple[str, Sequence[MetricResult]]]) -> list[CombinedMetric]:
    """The numbers of runs together, over the runs of each configuration.

    Args:
        runs: the name of each run's configuration, and its numbers.
    """
    values: dict[tuple[str, str], dict[str, list[float]]] = {}
    first: dict[tuple[str, str], MetricResult] = {}
    for name, numbers in runs:
        for number in numbers:
            key = (number.group, number.of)
            first.setdefault(key, number)
            values.setdefault(key, {}).setdefault(name, []).append(number.value)
    rows = [
        CombinedMetric(first[key], {name: t_interval(v) for name, v in found.items()}) for key, found in values.items()
    ]
    order = list(dict.fromkeys(row.number.group for row in rows))
    return sorted(rows, key=lambda row: order.index(row.number.group))


def write_together(reports: Sequence[tuple[str, Report]]) -> list[CombinedMetric]:
    """Combine the numbers of runs, and show in the report of each, beside its numbers, their means over its seeds.

    Args:
        reports: the name of each run's configuration, and its report.

    Returns:
        The numbers together.
    """
    rows = combine([(name, report.numbers) for name, report in reports])
    for name, report in reports:
        mine = [row for row in rows if name in row.intervals]
        if any(row.intervals[name].count > 1 for row in mine):
            report.write({(row.number.group, row.number.of): row.intervals[name].text for row in mine})
    return rows


def configuration_names(folders: Sequence[Path]) -> list[str]:
    """A name for the configuration of each run: its model and data, and the options in which these runs differ.

    Runs that differ in nothing but seed, folder and device have the same name.

    Raises:
        FileNotFoundError: if a folder holds no run.
    """
    options = [{k: v for k, v in read_config(folder).items() if k not in INCIDENTAL} for folder in folders]
    return [_name(of, [o for o in options if (o["model"], o["data"]) == (of["model"], of["data"])]) for of in options]


def _name(options: dict[str, Any], alike: Sequence[dict[str, Any]]) -> str:
    differing = [key for key in options if any(other.get(key) != options[key] for other in alike)]
    return " ".join([options["model"], options["data"], *(f"{key}={options[key]}" for key in differing)])
