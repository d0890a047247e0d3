"""Runs and experiments: evaluation, sweeps, reproductions, export and sharing."""

from .run import Run as Run
from .run import load_model as load_model
from .run import load_run as load_run
from .run import read_run as read_run
