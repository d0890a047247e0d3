"""Evaluation of trained models on test data: metrics, figures and reports."""

from .evaluated_model import EvaluatedModel as EvaluatedModel
from .metrics.moments import GaussianMoments as GaussianMoments
from .metrics.registry import compute_metrics as compute_metrics
from .metrics.registry import compute_quick_metrics as compute_quick_metrics
from .metrics.result import MetricResult as MetricResult
from .report.html import write_report as write_report
