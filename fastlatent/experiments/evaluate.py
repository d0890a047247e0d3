"""Evaluation of runs from their folders, one by one and combined over seeds."""

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
# options that leave the distribution of the results unchanged
NEUTRAL_OPTIONS = {option.name for option in fields(TrainConfig)} - {*RESUME_INVARIANTS} | {"seed", "data_dir"}


def evaluate_run(
    run_dir: Path, *, kmeans_starts: int = KMEANS_STARTS, metric_names: Collection[str] | None = None
) -> Report:
    """Compute the metrics that apply to a run, on test data, and rewrite its results.json and report.html.

    Args:
        run_dir: run folder.
        kmeans_starts: number of random starts of k-means on codes.
        metric_names: names of metrics in addition to the quick ones; None: all.

    Raises:
        FileNotFoundError: if the folder holds no run, or files of its data are missing.
        RunFormatError: if the run has another format.
        ValueError: if the model is not in `MODEL_CONFIGS`, or for an unknown metric.
    """
    run = read_run(run_dir)
    model, data, config = load_run(run_dir)
    fully_labeled = None if run.labels_per_class is None else replace(run, labels_per_class=None).load_data().train
    model = model.to(Fabric(accelerator=config.accelerator, devices=1).device)
    with torch_threads(config.threads):
        evaluated = EvaluatedModel(model, data, fully_labeled=fully_labeled, kmeans_starts=kmeans_starts)
        metrics = compute_metrics(evaluated, metric_names)
        return write_report(model, data, TrainingResult(run_dir, read_metrics(run_dir)), metrics)


@dataclass(frozen=True)
class Interval:
    """A mean over runs with its confidence interval, mean ± half_width.

    Args:
        mean: mean over runs.
        half_width: half the width of the interval; NaN for a single run.
        count: number of runs.
    """

    mean: float
    half_width: float
    count: int

    @property
    def text(self) -> str:
        """The mean, followed by ± half_width if there are several runs."""
        return self.format(lambda value: MetricResult("", "", value).text)

    def format(self, format_value: Callable[[float], str]) -> str:
        """Return the text with another number format."""
        mean = format_value(self.mean)
        return mean if self.count == 1 else f"{mean} ± {format_value(self.half_width)}"


def t_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return Student's confidence interval for the mean of a normal distribution: x̄ ± t_{(1+c)/2, n−1}·s/√n.

    Args:
        values: one value per run, at least one.
        confidence: c, in (0, 1).

    Raises:
        ValueError: if there are no values, or for a confidence outside (0, 1).

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
    """A metric of several configurations, each over its runs.

    Args:
        result: the result of the first run, for its names.
        intervals: confidence interval of each configuration that has the metric.
    """

    result: MetricResult
    intervals: dict[str, Interval]


def combine_metrics(runs: Sequence[tuple[str, Sequence[MetricResult]]]) -> list[CombinedMetric]:
    """Combine the metrics of runs over the runs of each configuration.

    Args:
        runs: name of the configuration, and metrics, of each run.
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
    groups = list(dict.fromkeys(row.result.group for row in rows))
    return sorted(rows, key=lambda row: groups.index(row.result.group))


def combine_reports(reports: Sequence[tuple[str, Report]]) -> list[CombinedMetric]:
    """Combine the metrics of runs, and rewrite each report with the means over seeds next to its metrics.

    Args:
        reports: name of the configuration, and report, of each run.

    Returns:
        The combined metrics.
    """
    rows = combine_metrics([(name, report.metrics) for name, report in reports])
    for name, report in reports:
        rows_of_run = [row for row in rows if name in row.intervals]
        if any(row.intervals[name].count > 1 for row in rows_of_run):
            report.write({(row.result.group, row.result.label): row.intervals[name].text for row in rows_of_run})
    return rows


def configuration_names(run_dirs: Sequence[Path]) -> list[str]:
    """Name the configuration of each run: its model and data, and the options in which these runs differ.

    Runs that differ only in seed, folder and device have the same name.

    Raises:
        FileNotFoundError: if a folder holds no run.
        RunFormatError: if a run has another format.
    """
    options = [{k: v for k, v in read_config(path).items() if k not in NEUTRAL_OPTIONS} for path in run_dirs]
    return [
        _name(run, [o for o in options if (o["model"], o["data"]) == (run["model"], run["data"])]) for run in options
    ]


def _name(options: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    differences = [key for key in options if any(other.get(key) != options[key] for other in others)]
    return " ".join([options["model"], options["data"], *(f"{key}={options[key]}" for key in differences)])
