"""Pairwise engine: sums of a kernel profile over pairs of points, and nearest neighbors."""

from .op import PairwiseForm as PairwiseForm
from .op import nearest as nearest
from .op import nearest_neighbours as nearest_neighbours
from .op import pairwise as pairwise
