"""Grids of images and of point clouds."""

import math

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor, nn

CELL = 40  # side of a point cloud's cell, in data units
AZIMUTH, ELEVATION = math.radians(-35), math.radians(25)  # of the view of point clouds
MAX_RADIUS = 0.47 * CELL  # of the unit ball in a cell


def example_grid(ax: Axes, examples: Tensor) -> None:
    """Draw images (rows, columns, channels, height, width) or point clouds (rows, columns, points, 3) in a grid."""
    ax.grid(False)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    (point_cloud_grid if examples.dim() == 4 else image_grid)(ax, examples)


def image_grid(ax: Axes, images: Tensor) -> None:
    """Draw images (rows, columns, channels, height, width) in a grid, grayscale ones dark on light."""
    gap = max(1, images.shape[-1] // 10)
    background = 0.0 if images.shape[2] == 1 else 1.0  # white: the color map of grayscale images is reversed
    images = nn.functional.pad(images, (0, gap, 0, gap), value=background)
    rows, columns, channels, height, width = images.shape
    pixels = images.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels).clamp(0, 1)
    ax.imshow(pixels.squeeze(2).cpu().numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")


def point_cloud_grid(ax: Axes, clouds: Tensor) -> None:
    """Draw point clouds (rows, columns, points, 3) in a grid, z upward, near points dark and far points light."""
    rows, columns, points, _ = clouds.shape
    x, y, z = clouds.cpu().double().unbind(-1)
    right = x * math.cos(AZIMUTH) - y * math.sin(AZIMUTH)
    back = x * math.sin(AZIMUTH) + y * math.cos(AZIMUTH)
    up, depth = (
        z * math.cos(ELEVATION) + back * math.sin(ELEVATION),
        back * math.cos(ELEVATION) - z * math.sin(ELEVATION),
    )
    center_y, center_x = CELL * (np.indices((rows, columns)) + 0.5)[..., None]
    order = np.argsort(-depth.numpy(), axis=None)  # far points first
    ax.scatter(
        (center_x + MAX_RADIUS * right.numpy()).ravel()[order],
        (center_y - MAX_RADIUS * up.numpy()).ravel()[order],
        c=depth.numpy().ravel()[order],
        s=max(0.4, 150 / points),
        cmap="viridis",
        vmin=-1,
        vmax=1.6,
        linewidths=0,
    )
    ax.set(xlim=(-0.5, CELL * columns - 0.5), ylim=(CELL * rows - 0.5, -0.5), aspect="equal")
