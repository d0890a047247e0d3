"""Data sets of images."""

import os
from pathlib import Path

import torch

from .dataset import Data, Split
from .idx import read_idx

DIGITS_TEST = 450  # a quarter of the 1,797 digits
DIGITS_SEED = 0


def data_folder(data_dir: Path | None) -> Path:
    """Where data is looked for: `data_dir`, else the environment's FASTLATENT_DATA, else ~/.cache/fastlatent."""
    return Path(data_dir or os.environ.get("FASTLATENT_DATA") or Path.home() / ".cache" / "fastlatent").expanduser()


def digits(data_dir: Path | None = None) -> Data:
    """scikit-learn's 1,797 handwritten digits, 1×8×8, which need no file; split at random with a fixed seed."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(bunch.images).to(torch.uint8)[:, None]
    labels = torch.from_numpy(bunch.target).long()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(DIGITS_SEED))
    test, train = order[:DIGITS_TEST], order[DIGITS_TEST:]
    white = 16
    return Data("digits", Split(images[train], labels[train], white), Split(images[test], labels[test], white), 100)


def mnist(data_dir: Path | None = None) -> Data:
    """MNIST: 60,000 + 10,000 handwritten digits, 1×28×28."""
    return _idx_data("mnist", data_dir)


def fashion_mnist(data_dir: Path | None = None) -> Data:
    """Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 1×28×28."""
    return _idx_data("fashion-mnist", data_dir)


def _idx_data(name: str, data_dir: Path | None) -> Data:
    folder = data_folder(data_dir)
    return Data(name, _idx_split(name, folder, "train"), _idx_split(name, folder, "t10k"), epochs=20)


def _idx_split(name: str, folder: Path, part: str) -> Split:
    images = read_idx(_find(name, folder, f"{part}-images-idx3-ubyte"), rank=3)
    labels = read_idx(_find(name, folder, f"{part}-labels-idx1-ubyte"), rank=1)
    return Split(torch.from_numpy(images.copy())[:, None], torch.from_numpy(labels.copy()).long())


def _find(name: str, folder: Path, stem: str) -> Path:
    tried = [place / file for place in (folder / name, folder) for file in (f"{stem}.gz", stem)]
    for path in tried:
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{name}: no {stem}.gz or {stem} in {folder / name} or {folder}; "
        "put the file there, or say where it is with --data-dir or FASTLATENT_DATA"
    )
