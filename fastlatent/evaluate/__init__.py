"""Evaluation: numbers, figures and the report of a run, on test data."""

from .metrics import Number as Number
from .metrics import measure as measure
from .moments import GaussianMoments as GaussianMoments
from .report import write_report as write_report
