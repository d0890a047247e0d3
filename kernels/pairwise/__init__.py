"""Pairwise engine: sums of a kernel profile over pairs of points, and nearest neighbors."""

from .neighbors import nearest as nearest
from .neighbors import nearest_neighbors as nearest_neighbors
from .op import BACKENDS as BACKENDS
from .op import PairwiseSum as PairwiseSum
from .op import pairwise as pairwise
