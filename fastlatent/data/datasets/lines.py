"""Images of lines whose interpolations have a right answer."""

from pathlib import Path

import numpy as np
import torch

from ..dataset import Dataset, Split

SIDE, LENGTH, WIDTH = 32, 15, 2  # pixels; a line with its round end stays within the image
TRAIN, TEST, SEED = 10_000, 2_000, 0
PARTS = 10  # equal parts of the circle: the classes
BATCH = 1000  # lines drawn at a time


def lines(data_dir: Path | None = None) -> Dataset:
    """10,000 + 2,000 generated images, 1×32×32, of a line from the center at a random angle; they need no file.

    The class of a line is the tenth of the circle that it points to.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", section 3; the authors draw new lines for each batch.
    """
    random = np.random.default_rng(SEED)
    return Dataset("lines", _split(random, TRAIN), _split(random, TEST), epochs=20)


def draw_lines(angles: np.ndarray) -> np.ndarray:
    """Lines from the image's center, 15 pixels long and 2 wide: a pixel is as bright as the line's edge leaves it.

    A pixel at distance r from the segment is clip(3/2 − r, 0, 1).

    Args:
        angles: (n,), in radians, counterclockwise from the right.

    Returns:
        (n, 32, 32) in [0, 1], float32.
    """
    parts = [_draw(part) for part in np.array_split(angles, -(-len(angles) // BATCH))]
    return np.concatenate(parts)


def _draw(angles: np.ndarray) -> np.ndarray:
    middle = np.arange(SIDE, dtype=np.float32) + 0.5 - SIDE / 2
    x, y = middle[None, None, :], -middle[None, :, None]  # y upwards
    right, up = (f(angles).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    along = np.clip(x * right + y * up, 0, LENGTH)
    distance = np.hypot(x - along * right, y - along * up)
    return np.clip((WIDTH + 1) / 2 - distance, 0, 1)


def _split(random: np.random.Generator, count: int) -> Split:
    angles = random.uniform(0, 2 * np.pi, count)
    white = 255
    x = torch.from_numpy(np.rint(white * draw_lines(angles)).astype(np.uint8))[:, None]
    return Split(x, torch.from_numpy((angles * PARTS / (2 * np.pi)).astype(np.int64)), white)
