"""SVHN: house numbers seen from the street, in MATLAB's format."""

from pathlib import Path

import numpy as np
import torch

from .dataset import Data, Split
from .files import check_size, find_file, naming

CLASSES = tuple("0123456789")
SIDES = (32, 32, 3)


def svhn(data_dir: Path | None = None) -> Data:
    """SVHN: 73,257 + 26,032 digits of house numbers, 3×32×32.

    Read from train_32x32.mat and test_32x32.mat: `X` (32, 32, 3, n) uint8 and `y` (n, 1), 10 for the digit 0.

    Raises:
        FileNotFoundError: where there are no such files.
        ValueError: if one holds something else.
    """
    train, test = (_split(find_file("svhn", data_dir, (f"{part}_32x32.mat",))) for part in ("train", "test"))
    return Data("svhn", train, test, epochs=20, classes=CLASSES)


def _split(path: Path) -> Split:
    from scipy.io import loadmat, whosmat

    with naming(path, "SVHN file"):
        shapes = {name: (shape, kind) for name, shape, kind in whosmat(path)}  # reads no values
        if not {"X", "y"} <= set(shapes):
            raise ValueError(f"it must hold X and y; has {', '.join(shapes) or 'nothing'}")
        (shape, kind), (labels, _) = shapes["X"], shapes["y"]
        if kind != "uint8" or shape[:3] != SIDES or len(shape) != 4 or tuple(labels) != (shape[3], 1):
            raise ValueError(f"X must be uint8 (32, 32, 3, n) and y (n, 1); got {kind} {shape} and {labels}")
        check_size(shape, 1)
        values = loadmat(path, variable_names=["X", "y"])
        x = np.ascontiguousarray(values["X"].transpose(3, 2, 0, 1))
        y = values["y"].astype(np.int64)[:, 0]
        if not ((y >= 1) & (y <= 10)).all():
            raise ValueError(f"y must be from 1 to 10; got {y.min()} to {y.max()}")
        return Split(torch.from_numpy(x), torch.from_numpy(y % 10))
