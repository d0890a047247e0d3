"""Metrics between two sets of point clouds: Jensen–Shannon divergence, coverage and minimum matching distance."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.spatial.distance import jensenshannon
from torch import Tensor

from ...data.dataset import evenly_spaced_rows
from ...losses.chamfer import chamfer_distance
from ...models import earth_mover_distance
from ...utils import checks
from ..evaluated_model import EvaluatedModel
from .result import MetricResult

CELLS = 28  # of the grid along each side

MATCHING = "Minimum matching distance ({}), {} point clouds of {} points"
COVERAGE = "Coverage ({}), {} point clouds of {} points"
DIVERGENCE = "Jensen–Shannon divergence of point positions from test point clouds, in bits"
SAMPLES, FLOOR = "samples of this model", "training point clouds (floor)"
NOISE = "independent points of training point clouds (noise)"

PairDistance = Callable[[Tensor, Tensor], Tensor]  # of clouds (m, points, 3) and (m, points, 3), (m,)


class CloudDistance(NamedTuple):
    """Distance between point clouds, and the maximum size of the sets on which the distance is computed."""

    name: str
    distance: PairDistance
    max_clouds: int
    max_points: int


CHAMFER = CloudDistance("Chamfer distance", chamfer_distance, 128, 256)
EARTH_MOVER = CloudDistance("earth mover's distance", partial(earth_mover_distance, p=1), 64, 128)  # exact, so slower


class Subsets(NamedTuple):
    """Equal numbers of test clouds and of other clouds, with the same points of each.

    Args:
        test: test clouds (clouds, points, 3).
        others: clouds (clouds, points, 3) of each set, by label.
    """

    test: Tensor
    others: dict[str, Tensor]


def chamfer_matching(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the minimum matching distance, by Chamfer, of samples, of as many training clouds and of noise."""
    return _matching(CHAMFER, _subsets(evaluated, CHAMFER))


def divergence_and_coverage(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the Jensen–Shannon divergence, coverage, and the minimum matching distance by the earth mover's distance.

    Source: Achlioptas et al. 2018, "Learning representations and generative models for 3D point clouds".
    """
    results = [
        MetricResult(DIVERGENCE, label, jensen_shannon(evaluated.test.x, clouds), is_model=label == SAMPLES)
        for label, clouds in _compared_sets(evaluated).items()
    ]
    by_chamfer, by_earth_mover = _subsets(evaluated, CHAMFER), _subsets(evaluated, EARTH_MOVER)
    results += _coverage(CHAMFER, by_chamfer)
    return results + _coverage(EARTH_MOVER, by_earth_mover) + _matching(EARTH_MOVER, by_earth_mover)


def jensen_shannon(x: Tensor, y: Tensor, *, cells: int = CELLS) -> float:
    """Compute the Jensen–Shannon divergence of point positions in bits, H((P + Q)/2) − (H(P) + H(Q))/2.

    P and Q are the shares of all points of x and of y in the cells of a cubic grid over [−1, 1]³, restricted to the
    cells with centers in the unit ball; a point belongs to the cell with the nearest center. The divergence is 0 for
    equal shares and 1 for shares without a common cell.

    Args:
        x: clouds (n, points, 3), in the unit ball.
        y: clouds (m, points, 3), in the unit ball.
        cells: number of cells along each side of the grid, ≥ 2; 28 in the paper.

    Raises:
        TypeError, ValueError: for another shape, or if cells is not an integer ≥ 2.

    Source: Achlioptas et al. 2018, "Learning representations and generative models for 3D point clouds", and the
    authors' code, where the ball has radius ½.
    """
    _check(x, y)
    grid = _grid(checks.count("cells", cells, 2))
    shares = (np.bincount(grid.query(z.reshape(-1, 3).cpu().numpy())[1], minlength=grid.n) for z in (x, y))
    return float(jensenshannon(*shares, base=2) ** 2)


def pairwise_distances(x: Tensor, y: Tensor, distance: PairDistance) -> Tensor:
    """Compute the distance of each cloud of x (n, points, 3) to each cloud of y (m, points, 3), (n, m).

    Args:
        x: first set of clouds.
        y: second set of clouds.
        distance: function of clouds (m, points, 3) and (m, points, 3), such as `chamfer_distance`, that returns (m,).

    Raises:
        TypeError, ValueError: for another shape.
    """
    _check(x, y)
    return torch.stack([distance(cloud.expand(len(y), -1, -1), y) for cloud in x])


def matching_distance(distances: Tensor) -> float:
    """Compute the minimum matching distance, the mean over test clouds of the distance to the nearest sample.

    Args:
        distances: distances of test clouds to samples, (tests, samples).

    Source: Achlioptas et al. 2018.
    """
    return float(distances.min(1).values.mean())


def coverage(distances: Tensor) -> float:
    """Compute the share of test clouds that are the nearest test cloud of at least one sample.

    Args:
        distances: distances of test clouds to samples, (tests, samples).

    Source: Achlioptas et al. 2018.
    """
    return len(distances.argmin(0).unique()) / len(distances)


def _matching(distance: CloudDistance, subsets: Subsets) -> list[MetricResult]:
    group = MATCHING.format(distance.name, *subsets.test.shape[:2])
    return [
        MetricResult(group, label, matching_distance(table), is_model=label == SAMPLES)
        for label, table in _tables(distance, subsets)
    ]


def _coverage(distance: CloudDistance, subsets: Subsets) -> list[MetricResult]:
    group = COVERAGE.format(distance.name, *subsets.test.shape[:2])
    return [
        MetricResult(
            group, label.replace("floor", "ceiling"), coverage(table), is_model=label == SAMPLES, higher_is_better=True
        )
        for label, table in _tables(distance, subsets)
    ]


def _tables(distance: CloudDistance, subsets: Subsets) -> list[tuple[str, Tensor]]:
    """Return the label of each set and its distances to test clouds, (tests, clouds)."""
    return [
        (label, pairwise_distances(subsets.test, clouds, distance.distance)) for label, clouds in subsets.others.items()
    ]


def _compared_sets(evaluated: EvaluatedModel) -> dict[str, Tensor]:
    """Return samples and noise, as many as test clouds, and all training clouds."""
    train, generator = evaluated.train.x, evaluated.generator()
    points = train.flatten(0, 1)
    noise = points[torch.randint(len(points), evaluated.test.x.shape[:2], generator=generator, device=points.device)]
    return {SAMPLES: evaluated.samples, FLOOR: train, NOISE: noise}


def _subsets(evaluated: EvaluatedModel, distance: CloudDistance) -> Subsets:
    """Return evenly spaced clouds of each set, with the same random points of each, up to the distance's maxima."""
    test, others = evaluated.test.x, _compared_sets(evaluated)
    count = min(distance.max_clouds, len(test), len(others[FLOOR]))
    order = torch.randperm(test.shape[1], generator=evaluated.generator(), device=test.device)
    points = order[: distance.max_points]

    def subset(clouds: Tensor) -> Tensor:
        return clouds[evenly_spaced_rows(len(clouds), count)][:, points]

    return Subsets(subset(test), {label: subset(clouds) for label, clouds in others.items()})


def _grid(cells: int) -> cKDTree:
    """Return the centers of the cells, from −1 to 1 along each side, within the unit ball."""
    centers = np.stack(np.meshgrid(*[np.linspace(-1, 1, cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return cKDTree(centers[np.linalg.norm(centers, axis=1) <= 1])


def _check(x: Tensor, y: Tensor) -> None:
    for name, clouds in (("x", x), ("y", y)):
        checks.sample(name, clouds)
        if clouds.dim() != 3 or clouds.shape[2] != 3:
            raise ValueError(f"{name} must be clouds (n, points, 3); got shape {tuple(clouds.shape)}")
