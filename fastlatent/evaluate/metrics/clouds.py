"""Numbers and drawings of point clouds."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from ...losses.chamfer import chamfer_distance
from ...models import earth_mover_distance
from ..evaluated_model import EvaluatedModel
from .cloud_sets import coverage, distances, jensen_shannon, matching_distance
from .result import MetricResult

CLOUDS, POINTS = 128, 256  # so many clouds of so many points are matched with each other by Chamfer
FEW_CLOUDS, FEW_POINTS = 64, 128  # by the earth mover, whose exact matching takes longer
CELL = 40  # width of a cell in a sheet of clouds
TURN, TILT = math.radians(-35), math.radians(25)  # from where clouds are looked at

RECONSTRUCTION = "Reconstruction error, Chamfer distance"
MATCHING = "{} from a test point cloud to the nearest of {}, {} points each"
COVERAGE = "Coverage by {0}: share of {1} test point clouds that are nearest to one of {1}, {2} points each"
DIVERGENCE = "Jensen–Shannon divergence from test point clouds, in bits, of where points lie"
OURS, FLOOR = "samples of this model", "training point clouds (floor)"
NOISE = "independent points of training point clouds (noise)"
DISTANCES: tuple[tuple[str, Callable[[Tensor, Tensor], Tensor], int, int], ...] = (
    ("Chamfer distance", chamfer_distance, CLOUDS, POINTS),
    ("Earth mover's distance", partial(earth_mover_distance, p=1), FEW_CLOUDS, FEW_POINTS),
)


def reconstruction(subject: EvaluatedModel) -> list[MetricResult]:
    """Mean Chamfer distance of test clouds (n, points, 3) to the model's, and to training clouds drawn at random."""
    test, train = subject.test.x, subject.train.x
    chosen = torch.randint(len(train), (len(test),), generator=subject.generator(), device=train.device)
    return [
        MetricResult(
            RECONSTRUCTION, "this model", float(chamfer_distance(test, subject.reconstructions).mean()), ours=True
        ),
        MetricResult(
            RECONSTRUCTION, "a training point cloud at random", float(chamfer_distance(test, train[chosen]).mean())
        ),
    ]


def samples(subject: EvaluatedModel) -> list[MetricResult]:
    """Minimum matching distance, by Chamfer, of samples, beside that of as many training clouds and of noise."""
    count, points, test, others = compared(subject, CLOUDS, POINTS)
    group = MATCHING.format("Chamfer distance", count, points)
    tables = {of: distances(test, clouds, chamfer_distance) for of, clouds in others.items()}
    return [MetricResult(group, of, matching_distance(table), ours=of == OURS) for of, table in tables.items()]


def sets(subject: EvaluatedModel) -> list[MetricResult]:
    """Where points lie (Jensen–Shannon divergence), coverage, and matching by the earth mover's distance.

    Source: Achlioptas et al. 2018, "Learning representations and generative models for 3D point clouds".
    """
    numbers = [
        MetricResult(DIVERGENCE, of, jensen_shannon(subject.test.x, clouds), ours=of == OURS)
        for of, clouds in whole_sets(subject).items()
    ]
    for name, distance, most_clouds, most_points in DISTANCES:
        count, points, test, others = compared(subject, most_clouds, most_points)
        tables = {of: distances(test, clouds, distance) for of, clouds in others.items()}
        group = COVERAGE.format(name, count, points)
        numbers += [
            MetricResult(group, of.replace("floor", "ceiling"), coverage(t), ours=of == OURS, better="larger")
            for of, t in tables.items()
        ]
        if distance is not chamfer_distance:  # `samples` has that
            group = MATCHING.format(name, count, points)
            numbers += [MetricResult(group, of, matching_distance(t), ours=of == OURS) for of, t in tables.items()]
    return numbers


def whole_sets(subject: EvaluatedModel) -> dict[str, Tensor]:
    """Samples of the model, training clouds and noise, as many as there are test clouds or training clouds."""
    train, generator = subject.train.x, subject.generator()
    pool = train.flatten(0, 1)
    noise = pool[torch.randint(len(pool), subject.test.x.shape[:2], generator=generator, device=pool.device)]
    return {OURS: subject.samples, FLOOR: train, NOISE: noise}


def compared(subject: EvaluatedModel, clouds: int, points: int) -> tuple[int, int, Tensor, dict[str, Tensor]]:
    """At most so many clouds of so many points, and how many they are: of the test set, and of each other set."""
    generator, test = subject.generator(), subject.test.x
    others = whole_sets(subject)
    count, points = min(clouds, len(test), len(others[FLOOR])), min(points, test.shape[1])
    kept = torch.randperm(test.shape[1], generator=generator, device=test.device)[:points]
    chosen = {of: torch.arange(count) * len(x) // count for of, x in others.items()}
    test = test[torch.arange(count) * len(test) // count][:, kept]
    return count, points, test, {of: x[chosen[of]][:, kept] for of, x in others.items()}


def draw(ax: Axes, clouds: Tensor) -> None:
    """Point clouds (rows, columns, points, 3) side by side, z upwards, near points dark and far ones pale."""
    rows, columns, points, _ = clouds.shape
    x, y, z = clouds.cpu().double().unbind(-1)
    right = x * math.cos(TURN) - y * math.sin(TURN)
    away = x * math.sin(TURN) + y * math.cos(TURN)
    up, depth = z * math.cos(TILT) + away * math.sin(TILT), away * math.cos(TILT) - z * math.sin(TILT)
    middle = CELL * (np.indices((rows, columns)) + 0.5)
    across = middle[1][..., None] + 0.47 * CELL * right.numpy()
    down = middle[0][..., None] - 0.47 * CELL * up.numpy()
    order = np.argsort(-depth.numpy(), axis=None)  # the far ones first
    size = max(0.4, 150 / points)
    ax.scatter(
        across.ravel()[order],
        down.ravel()[order],
        c=depth.numpy().ravel()[order],
        s=size,
        cmap="viridis",
        vmin=-1,
        vmax=1.6,
        linewidths=0,
    )
    ax.set(xlim=(-0.5, CELL * columns - 0.5), ylim=(CELL * rows - 0.5, -0.5), aspect="equal")
