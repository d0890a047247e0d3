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
    """Compute the metrics that apply to a run, on test data, and overwrite its results.json and report.html.

    Args:
        folder: of the run.
        starts: random starts of k-means.
        names: of metrics to compute in addition to the quick ones; None: all.

    Raises:
        FileNotFoundError: if the folder holds no run, or the files of its data are not there.
        ValueError: if its model was built by hand, or for an unknown metric name.
    """
    run = read_run(folder)
    model, data, config = load_run(folder)
    labeled = None if run.labels_per_class is None else replace(run, labels_per_class=None).load_data().train
    model = model.to(Fabric(accelerator=config.accelerator, devices=1).device)
    with torch_threads(config.threads):
        metrics = compute_metrics(EvaluatedModel(model, data, labeled=labeled, kmeans_starts=starts), names)
        return write_report(model, data, TrainingResult(folder, read_metrics(folder)), metrics)


@dataclass(frozen=True)
class Interval:
    """A mean over runs with its confidence interval, mean ± half-width.

    Args:
        mean: over runs.
        half_width: of the interval; NaN for a single run.
        count: of runs.
    """

    mean: float
    half_width: float
    count: int

    @property
    def text(self) -> str:
        """As it is shown: the mean and, of several runs, ± half-width."""
        return self.written(lambda value: MetricResult("", "", value).text)

    def written(self, number: Callable[[float], str]) -> str:
        """The same, each number written so."""
        return number(self.mean) if self.count == 1 else f"{number(self.mean)} ± {number(self.half_width)}"


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
    half_width = students_t.ppf((1 + confidence) / 2, n - 1) * np.std(values, ddof=1) / math.sqrt(n)
    return Interval(float(np.mean(values)), float(half_width), n)


@dataclass(frozen=True)
class CombinedMetric:
    """Metric of several configurations, each over its runs.

    Args:
        result: of the first run, for its names.
        intervals: by configuration that has the metric.
    """

    result: MetricResult
    intervals: dict[str, Interval]


def combine(runs: Sequence[tuple[str, Sequence[MetricResult]]]) -> list[CombinedMetric]:
    """Combine the metrics of runs over the runs of each configuration.

    Args:
        runs: name of each run's configuration, and its metrics.
    """
    values: dict[tuple[str, str], dict[str, list[float]]] = {}
    first: dict[tuple[str, str], MetricResult] = {}
    for name, results in runs:
        for result in results:
            key = (result.group, result.label)
            first.setdefault(key, result)
            values.setdefault(key, {}).setdefault(name, []).append(result.value)
    rows = [
        CombinedMetric(first[key], {name: t_interval(v) for name, v in by_name.items()})
        for key, by_name in values.items()
    ]
    order = list(dict.fromkeys(row.result.group for row in rows))
    return sorted(rows, key=lambda row: order.index(row.result.group))


def write_together(reports: Sequence[tuple[str, Report]]) -> list[CombinedMetric]:
    """Combine the metrics of runs, and add to the report of each run the means over the seeds of its configuration.

    Args:
        reports: name of each run's configuration, and its report.

    Returns:
        The combined metrics.
    """
    rows = combine([(name, report.metrics) for name, report in reports])
    for name, report in reports:
        mine = [row for row in rows if name in row.intervals]
        if any(row.intervals[name].count > 1 for row in mine):
            report.write({(row.result.group, row.result.label): row.intervals[name].text for row in mine})
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
