"""Data sets of images."""

from dataclasses import replace
from pathlib import Path

import torch

from ..dataset import Dataset, Split
from ..files import find_file
from ..formats.idx import read_idx

CLOTHES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
DIGITS_TEST = 450  # a quarter of the 1,797 digits
DIGITS_SEED = 0


def digits(data_dir: Path | None = None) -> Dataset:
    """scikit-learn's 1,797 handwritten digits, 1×8×8, which need no file; split at random with a fixed seed."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(bunch.images).to(torch.uint8)[:, None]
    labels = torch.from_numpy(bunch.target).long()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(DIGITS_SEED))
    test, train = order[:DIGITS_TEST], order[DIGITS_TEST:]
    white = 16
    return Dataset("digits", Split(images[train], labels[train], white), Split(images[test], labels[test], white), 100)


def mnist(data_dir: Path | None = None) -> Dataset:
    """MNIST: 60,000 + 10,000 handwritten digits, 1×28×28."""
    return _idx_data("mnist", data_dir)


def fashion_mnist(data_dir: Path | None = None) -> Dataset:
    """Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 1×28×28."""
    return replace(_idx_data("fashion-mnist", data_dir), classes=CLOTHES)


def _idx_data(name: str, data_dir: Path | None) -> Dataset:
    return Dataset(name, _idx_split(name, data_dir, "train"), _idx_split(name, data_dir, "t10k"), epochs=20)


def _idx_split(name: str, data_dir: Path | None, part: str) -> Split:
    images = read_idx(_find(name, data_dir, f"{part}-images-idx3-ubyte"), rank=3)
    labels = read_idx(_find(name, data_dir, f"{part}-labels-idx1-ubyte"), rank=1)
    return Split(torch.from_numpy(images.copy())[:, None], torch.from_numpy(labels.copy()).long())


def _find(name: str, data_dir: Path | None, stem: str) -> Path:
    return find_file(name, data_dir, (f"{stem}.gz", stem))
