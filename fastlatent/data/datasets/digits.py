"""scikit-learn's handwritten digits."""

from pathlib import Path

import torch

from ..dataset import Dataset, Split

TEST, SEED = 450, 0  # a quarter of the 1,797 images
MAX_VALUE = 16


def digits(data_dir: Path | None = None) -> Dataset:
    """Load scikit-learn's 1,797 handwritten digits, 1×8×8, split at random with a fixed seed; no file is needed."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy(bunch.images).to(torch.uint8)[:, None]
    labels = torch.from_numpy(bunch.target).long()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))
    train, test = (Split(images[rows], labels[rows], MAX_VALUE) for rows in (order[TEST:], order[:TEST]))
    return Dataset("digits", train, test, epochs=100)
