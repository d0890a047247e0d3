"""MNIST and Fashion-MNIST, from IDX files."""

from dataclasses import replace
from pathlib import Path

import torch

from ..dataset import Dataset, Split
from ..files import find_file
from ..formats.idx import read_idx

FASHION_CLASSES = (
    "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def mnist(data_dir: Path | None = None) -> Dataset:
    """Load MNIST: 60,000 + 10,000 handwritten digits, 1×28×28.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file is damaged.
    """
    return _load("mnist", data_dir)


def fashion_mnist(data_dir: Path | None = None) -> Dataset:
    """Load Fashion-MNIST: 60,000 + 10,000 images of clothes, 1×28×28.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file is damaged.
    """
    return replace(_load("fashion-mnist", data_dir), classes=FASHION_CLASSES)


def _load(name: str, data_dir: Path | None) -> Dataset:
    return Dataset(name, _split(name, data_dir, "train"), _split(name, data_dir, "t10k"), epochs=20)


def _split(name: str, data_dir: Path | None, part: str) -> Split:
    images = read_idx(_find(name, data_dir, f"{part}-images-idx3-ubyte"), rank=3)
    labels = read_idx(_find(name, data_dir, f"{part}-labels-idx1-ubyte"), rank=1)
    return Split(torch.from_numpy(images.copy())[:, None], torch.from_numpy(labels.copy()).long())


def _find(name: str, data_dir: Path | None, stem: str) -> Path:
    return find_file(name, data_dir, (f"{stem}.gz", stem))
