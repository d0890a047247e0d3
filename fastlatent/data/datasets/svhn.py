"""SVHN, street view house numbers, from MATLAB files."""

from pathlib import Path

import numpy as np
import torch

from ..dataset import Dataset, Split
from ..files import errors_naming_file, find_file
from ..formats.matlab import read_mat

CLASSES = tuple("0123456789")
IMAGE_SHAPE = (32, 32, 3)


def svhn(data_dir: Path | None = None) -> Dataset:
    """Load SVHN: 73,257 + 26,032 digits of house numbers, 3×32×32.

    Read from train_32x32.mat and test_32x32.mat: `X` (32, 32, 3, n) uint8 and `y` (n, 1), 10 for the digit 0.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file has other contents.
    """
    train, test = (_split(find_file("svhn", data_dir, (f"{part}_32x32.mat",))) for part in ("train", "test"))
    return Dataset("svhn", train, test, epochs=20, classes=CLASSES)


def _split(path: Path) -> Split:
    with errors_naming_file(path, "SVHN file"):
        arrays = read_mat(path)
        if not {"X", "y"} <= set(arrays):
            raise ValueError(f"it must have X and y; has {', '.join(arrays) or 'no array'}")
        x, y = arrays["X"], arrays["y"]
        if x.dtype != np.uint8 or x.ndim != 4 or x.shape[:3] != IMAGE_SHAPE or y.shape != (x.shape[3], 1):
            raise ValueError(f"X must be uint8 (32, 32, 3, n) and y (n, 1); got {x.dtype} {x.shape} and {y.shape}")
        if not ((y >= 1) & (y <= 10)).all():
            raise ValueError(f"y must be from 1 to 10; got {y.min()} to {y.max()}")
        images = np.ascontiguousarray(x.transpose(3, 2, 0, 1))
        return Split(torch.from_numpy(images), torch.from_numpy(y[:, 0].astype(np.int64) % 10))
