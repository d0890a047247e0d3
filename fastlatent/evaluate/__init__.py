"""Evaluation: numbers, figures and the report of a run, on test data."""

from .evaluated_model import Subject as Subject
from .metrics.moments import GaussianMoments as GaussianMoments
from .metrics.registry import measure as measure
from .metrics.registry import measure_subject as measure_subject
from .metrics.result import Number as Number
from .report.html import write_report as write_report
