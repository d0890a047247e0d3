"""Generated images of lines, whose interpolations have a known ground truth."""

from pathlib import Path

import numpy as np
import torch

from ..dataset import Dataset, Split

SIDE, LENGTH, WIDTH = 32, 15, 2  # pixels; a line with its round end fits into the image
TRAIN, TEST, SEED = 10_000, 2_000, 0
MAX_VALUE = 255
SECTORS = 10  # of the circle: the classes
BATCH = 1000  # images computed at once, to bound memory


def lines(data_dir: Path | None = None) -> Dataset:
    """Generate 10,000 + 2,000 images, 1×32×32, of a line from the center at a uniform angle; no file is needed.

    The class of a line is its sector, a tenth of the circle.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", section 3; the authors draw new lines for each batch.
    """
    random = np.random.default_rng(SEED)
    return Dataset("lines", _split(random, TRAIN), _split(random, TEST), epochs=20)


def draw_lines(angles: np.ndarray) -> np.ndarray:
    """Draw antialiased lines from the center of an image, 15 pixels long and 2 wide.

    A pixel at distance r from the segment has the value clip(3/2 − r, 0, 1).

    Args:
        angles: (n,), in radians, counterclockwise from the right.

    Returns:
        (n, 32, 32) in [0, 1], float32.
    """
    parts = [_draw(part) for part in np.array_split(angles, -(-len(angles) // BATCH))]
    return np.concatenate(parts)


def _draw(angles: np.ndarray) -> np.ndarray:
    centers = np.arange(SIDE, dtype=np.float32) + 0.5 - SIDE / 2
    x, y = centers[None, None, :], -centers[None, :, None]  # y upward
    cosine, sine = (f(angles).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    along = np.clip(x * cosine + y * sine, 0, LENGTH)
    distance = np.hypot(x - along * cosine, y - along * sine)
    return np.clip((WIDTH + 1) / 2 - distance, 0, 1)


def _split(random: np.random.Generator, count: int) -> Split:
    angles = random.uniform(0, 2 * np.pi, count)
    x = torch.from_numpy(np.rint(MAX_VALUE * draw_lines(angles)).astype(np.uint8))[:, None]
    return Split(x, torch.from_numpy((angles * SECTORS / (2 * np.pi)).astype(np.int64)), MAX_VALUE)
