"""Evaluation: numbers, figures and the report of a run, on test data."""

from .evaluated_model import EvaluatedModel as EvaluatedModel
from .metrics.moments import GaussianMoments as GaussianMoments
from .metrics.registry import compute_metrics as compute_metrics
from .metrics.registry import measure as measure
from .metrics.result import MetricResult as MetricResult
from .report.html import write_report as write_report
