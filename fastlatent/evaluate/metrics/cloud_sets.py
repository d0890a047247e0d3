"""How alike two sets of point clouds are: where their points lie, and how their clouds match."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.spatial.distance import jensenshannon
from torch import Tensor

from ...utils import checks

CELLS = 28  # of the grid along each side


def jensen_shannon(x: Tensor, y: Tensor, *, cells: int = CELLS) -> float:
    """Jensen–Shannon divergence, in bits, between where the points of both sets lie: H((P + Q)/2) − (H(P) + H(Q))/2.

    P and Q are the shares of all points of x and of y in the cells of a cubic grid over [−1, 1]³, of which those
    within the unit ball count; a point belongs to the cell with the nearest center. 0 if the shares agree, 1 if they
    have no cell in common.

    Args:
        x, y: clouds (n, points, 3) and (m, points, 3), in the unit ball.
        cells: along each side of the grid, ≥ 2; 28 in the source.

    Raises:
        TypeError, ValueError: for another shape, or cells that are no integer ≥ 2.

    Source: Achlioptas et al. 2018, "Learning representations and generative models for 3D point clouds", and the
    authors' code, where the ball has radius ½.
    """
    _check(x, y)
    grid = _grid(checks.count("cells", cells, 2))
    shares = (np.bincount(grid.query(z.reshape(-1, 3).cpu().numpy())[1], minlength=grid.n) for z in (x, y))
    return float(jensenshannon(*shares, base=2) ** 2)


def distances(x: Tensor, y: Tensor, distance: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The distance of each cloud of x (n, points, 3) to each of y (m, points, 3), (n, m).

    Args:
        x, y: two sets of clouds.
        distance: of clouds (m, points, 3) and (m, points, 3), (m,), such as `chamfer_distance`.

    Raises:
        TypeError, ValueError: for another shape.
    """
    _check(x, y)
    return torch.stack([distance(cloud.expand(len(y), -1, -1), y) for cloud in x])


def matching_distance(table: Tensor) -> float:
    """Minimum matching distance, MMD: mean over test clouds of the distance to the nearest sample.

    Args:
        table: distances of test clouds to samples, (tests, samples).

    Source: Achlioptas et al. 2018.
    """
    return float(table.min(1).values.mean())


def coverage(table: Tensor) -> float:
    """Share of the test clouds that are the nearest one to at least one sample.

    Args:
        table: distances of test clouds to samples, (tests, samples).

    Source: Achlioptas et al. 2018.
    """
    return len(table.argmin(0).unique()) / len(table)


def _grid(cells: int) -> cKDTree:
    """The centers of the cells, from −1 to 1 along each side, within the unit ball."""
    centers = np.stack(np.meshgrid(*[np.linspace(-1, 1, cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return cKDTree(centers[np.linalg.norm(centers, axis=1) <= 1])


def _check(x: Tensor, y: Tensor) -> None:
    for name, clouds in (("x", x), ("y", y)):
        checks.sample(name, clouds)
        if clouds.dim() != 3 or clouds.shape[2] != 3:
            raise ValueError(f"{name} must be clouds (n, points, 3); got shape {tuple(clouds.shape)}")
