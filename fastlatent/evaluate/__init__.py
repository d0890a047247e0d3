"""Evaluation: numbers, figures and the report of a run, on test data."""

from .measures import measure as measure
from .measures import measure_subject as measure_subject
from .moments import GaussianMoments as GaussianMoments
from .number import Number as Number
from .report import write_report as write_report
from .subject import Subject as Subject
