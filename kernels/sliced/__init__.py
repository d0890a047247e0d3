"""Sliced engine: Wasserstein and Epps–Pulley distances of one-dimensional projections."""

from .op import BACKENDS as BACKENDS
from .op import EppsPulley as EppsPulley
from .op import SlicedDistance as SlicedDistance
from .op import epps_pulley as epps_pulley
from .op import sliced as sliced
