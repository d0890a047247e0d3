"""Numbers and drawings of point clouds."""

import math

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from ..losses.pointcloud import chamfer_distance
from .number import Number

CLOUDS, POINTS = 128, 256  # so many clouds of so many points are matched with each other
CELL = 40  # width of a cell in a sheet of clouds
TURN, TILT = math.radians(-35), math.radians(25)  # from where clouds are looked at

RECONSTRUCTION = "Reconstruction error, Chamfer distance"
MATCHING = f"Chamfer distance from a test point cloud to the nearest of {{}}, {POINTS} points each at most"


def reconstruction(train: Tensor, test: Tensor, ours: Tensor, generator: torch.Generator) -> list[Number]:
    """Mean Chamfer distance of test clouds (n, points, 3) to the model's, and to training clouds drawn at random."""
    others = train[torch.randint(len(train), (len(test),), generator=generator, device=train.device)]
    return [
        Number(RECONSTRUCTION, "this model", float(chamfer_distance(test, ours).mean()), ours=True),
        Number(RECONSTRUCTION, "a training point cloud at random", float(chamfer_distance(test, others).mean())),
    ]


def samples(train: Tensor, test: Tensor, ours: Tensor, generator: torch.Generator) -> list[Number]:
    """Minimum matching distance of samples (n, points, 3), beside that of as many training clouds and of noise.

    Source: Achlioptas et al. 2018, "Learning representations and generative models for 3D point clouds", section 4.
    """
    count, points = min(CLOUDS, len(test), len(train)), min(POINTS, test.shape[1])
    drawn = torch.randperm(len(train), generator=generator, device=train.device)[:count]
    kept = torch.randperm(test.shape[1], generator=generator, device=train.device)[:points]
    test = test[torch.arange(count) * len(test) // count][:, kept]
    pool = train[drawn].flatten(0, 1)
    noise = pool[torch.randint(len(pool), (count, points), generator=generator, device=train.device)]
    group = MATCHING.format(count)
    return [
        Number(group, "samples of this model", matching_distance(test, ours[:count, kept]), ours=True),
        Number(group, "training point clouds (floor)", matching_distance(test, train[drawn][:, kept])),
        Number(group, "independent points of training point clouds (noise)", matching_distance(test, noise)),
    ]


def matching_distance(x: Tensor, y: Tensor) -> float:
    """Mean over clouds of x (n, points, 3) of the Chamfer distance to the nearest of the clouds y (m, points, 3)."""
    nearest = [chamfer_distance(cloud.expand(len(y), -1, -1), y).min() for cloud in x]
    return float(torch.stack(nearest).mean())


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
