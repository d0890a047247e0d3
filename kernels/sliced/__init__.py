"""Sliced engine: Wasserstein and Epps–Pulley distances of one-dimensional projections."""

from .op import EppsPulleyForm as EppsPulleyForm
from .op import SlicedForm as SlicedForm
from .op import epps_pulley as epps_pulley
from .op import sliced as sliced
