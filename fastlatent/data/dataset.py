"""Data in memory: whole splits on the device, indexed there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..utils import checks
from .batch import UNLABELED, Batch

TEST_SHARE, TEST_SEED = 4, 0  # a quarter of the examples, the same in every run
EXAMPLES_SHOWN = 150_000  # to a small model until it is well trained, each as often as it takes


@dataclass(frozen=True)
class Split:
    """Examples and their labels.

    Args:
        x: (n, *shape), images as uint8, else float32.
        labels: (n,) int64, −1 where the class is not known.
        white: the value that becomes 1.0.
    """

    x: Tensor
    labels: Tensor
    white: int = 255

    def __post_init__(self) -> None:
        if len(self.x) != len(self.labels):
            raise ValueError(f"got {len(self.x)} examples but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: Tensor | slice) -> Batch:
        """The batch at these indices, divided by `white`."""
        if isinstance(index, slice):
            return Batch(self.x[index] / self.white, self.labels[index])
        index = index.to(self.x.device)
        return Batch(
            self.x.index_select(0, index) / self.white, self.labels[index]
        )  # copies whole rows: many times faster

    def spread(self, n: int) -> Batch:
        """n examples, or all if there are fewer, at equal steps: MNIST's first test images are easier than the rest."""
        n = min(n, len(self))
        return self[torch.arange(n) * len(self) // n]

    def to(self, device: torch.device | str) -> "Split":
        """The same split, on another device."""
        return replace(self, x=self.x.to(device), labels=self.labels.to(device))

    def keep_labels(self, per_class: int) -> "Split":
        """The same examples, but only the first so many of each class keep their label; the others get −1."""
        checks.count("labels_per_class", per_class, 0)
        kept = torch.full_like(self.labels, UNLABELED)
        for label in self.labels.unique():
            rows = (self.labels == label).nonzero()[:per_class]
            kept[rows] = label
        return replace(self, labels=kept)

    def known(self) -> "Split":
        """The examples whose label is known."""
        rows = self.labels != UNLABELED
        return self if bool(rows.all()) else replace(self, x=self.x[rows], labels=self.labels[rows])

    def random_rows(self, n: int) -> Tensor:
        """Indices of n examples at random, each from all, by torch's own generator of the CPU."""
        return torch.randint(len(self), (n,)).to(self.x.device)

    def check_labels(self, classes: int) -> None:
        """Require labels below `classes`.

        Raises:
            ValueError: if there is a larger one.
        """
        highest = int(self.labels.max()) if len(self) else UNLABELED
        if highest >= classes:
            raise ValueError(f"labels must be below {classes}, the model's classes; got {highest} (see --num-classes)")

    def check_batch(self, batch_size: int) -> None:
        """Require that at least one batch can be filled.

        Raises:
            ValueError: if batch_size is not between 1 and the number of examples.
        """
        if checks.count("batch_size", batch_size) > len(self):
            raise ValueError(f"batch_size must be at most {len(self)}, the number of examples; got {batch_size}")

    def shuffled(self, batch_size: int, generator: torch.Generator, part: slice = slice(None)) -> Iterator[Batch]:
        """One epoch of full batches in random order; the last examples that fill no batch sit this epoch out.

        Args:
            batch_size: at most the number of examples.
            generator: of the order, on the CPU, so that the order is the same for every device.
            part: of each batch that is wanted, where several processes share it.

        Raises:
            ValueError: if no batch can be filled.
        """
        self.check_batch(batch_size)
        order = torch.randperm(len(self), generator=generator).to(self.x.device)
        for rows in order.split(batch_size):
            if len(rows) == batch_size:
                yield self[rows[part]]


@dataclass(frozen=True)
class Dataset:
    """A data set of images with an honest split: nothing of `test` is seen in training.

    Args:
        name: as on the command line.
        train, test: its two splits.
        epochs: passes over `train` that give a well trained small model.
        classes: their names, of the labels from 0 on; empty where they have none but their number.
    """

    name: str
    train: Split
    test: Split
    epochs: int
    classes: tuple[str, ...] = ()
    kind: ClassVar[str] = "images"

    @property
    def shape(self) -> tuple[int, ...]:
        """What a model is built for, the shape of one example: (channels, height, width) of an image."""
        return tuple(self.train.x.shape[1:])

    def resized(self, side: int) -> "Dataset":
        """The same images with sides of so many pixels, the middle of those that are not square.

        Raises:
            ValueError: if these are no images, or side is no integer ≥ 1.
        """
        if self.kind != "images":
            raise ValueError(f"image_size is an option of images; got {self.name}, which has {self.kind}")
        train, test = (replace(split, x=resize(split.x, side)) for split in (self.train, self.test))
        return replace(self, train=train, test=test)


def resize(images: Tensor, side: int) -> Tensor:
    """The middle square of images (n, channels, h, w), uint8, as (n, channels, side, side).

    By bilinear interpolation, over as many pixels as become one where images become smaller.

    Raises:
        TypeError, ValueError: if side is no integer ≥ 1.
    """
    checks.count("image_size", side)
    h, w = images.shape[2:]
    square = min(h, w)
    top, left = (h - square) // 2, (w - square) // 2
    middle = images[:, :, top : top + square, left : left + square]
    return nn.functional.interpolate(middle, size=(side, side), mode="bilinear", antialias=True)


def split_rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of n examples are for training and which for testing: a quarter, at random, the same in every run.

    Raises:
        ValueError: if there are not two.
    """
    if n < 2:
        raise ValueError(f"there must be two examples at least, one to train on and one to test on; got {n}")
    order = np.random.default_rng(TEST_SEED).permutation(n)
    test, train = np.split(order, [max(1, n // TEST_SHARE)])
    return train, test


def default_epochs(n: int) -> int:
    """Epochs for n training examples of a kind that is not known: 20 for many, more for few, 160 at most."""
    return min(160, max(20, EXAMPLES_SHOWN // n))
