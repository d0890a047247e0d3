"""In-memory data sets: whole splits on one device, indexed there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..utils import checks
from .batch import UNLABELED, Batch

TEST_FRACTION, SPLIT_SEED = 0.25, 0  # of a data set without an official split
TRAINING_EXAMPLES = 150_000  # examples, repeats included, after which a small model has converged
MIN_EPOCHS, MAX_EPOCHS = 20, 160


@dataclass(frozen=True)
class Split:
    """Examples and their labels.

    Args:
        x: (n, *shape), uint8 for images, otherwise float32.
        labels: (n,) int64, `UNLABELED` if the class is unknown.
        max_value: value that is scaled to 1.0.
    """

    x: Tensor
    labels: Tensor
    max_value: int = 255

    def __post_init__(self) -> None:
        if len(self.x) != len(self.labels):
            raise ValueError(f"got {len(self.x)} examples but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: Tensor | slice) -> Batch:
        """Return the batch at these indices, divided by `max_value`."""
        if isinstance(index, slice):
            return Batch(self.x[index] / self.max_value, self.labels[index])
        index = index.to(self.x.device)
        # index_select copies whole rows: many times faster than x[index]
        return Batch(self.x.index_select(0, index) / self.max_value, self.labels[index])

    def evenly_spaced(self, n: int) -> Batch:
        """Return n examples at equal steps, or all if there are fewer.

        The first examples would be a biased sample: the first half of MNIST's test images is the easier one.
        """
        return self[evenly_spaced_rows(len(self), min(n, len(self)))]

    def to(self, device: torch.device | str) -> "Split":
        """Return the split on a device."""
        return replace(self, x=self.x.to(device), labels=self.labels.to(device))

    def keep_labels(self, per_class: int) -> "Split":
        """Return the split with labels for the first `per_class` examples of each class only.

        Args:
            per_class: number of labels of each class, ≥ 0; all other labels become `UNLABELED`.

        Raises:
            TypeError, ValueError: if per_class is not an integer ≥ 0.
        """
        checks.count("labels_per_class", per_class, 0)
        labels = torch.full_like(self.labels, UNLABELED)
        for label in self.labels.unique():
            rows = (self.labels == label).nonzero()[:per_class]
            labels[rows] = label
        return replace(self, labels=labels)

    def labeled(self) -> "Split":
        """Return the examples with a known label."""
        mask = self.labels != UNLABELED
        return self if bool(mask.all()) else replace(self, x=self.x[mask], labels=self.labels[mask])

    def random_rows(self, n: int) -> Tensor:
        """Sample n indices uniformly with replacement, using torch's default CPU generator."""
        return torch.randint(len(self), (n,)).to(self.x.device)

    def check_labels(self, classes: int) -> None:
        """Require labels below `classes`.

        Raises:
            ValueError: if a label is larger.
        """
        max_label = int(self.labels.max()) if len(self) else UNLABELED
        if max_label >= classes:
            raise ValueError(
                f"labels must be below {classes}, the model's classes; got {max_label} (see --num-classes)"
            )

    def check_batch(self, batch_size: int) -> None:
        """Require at least one full batch.

        Raises:
            TypeError, ValueError: if batch_size is not an integer from 1 to the number of examples.
        """
        if checks.count("batch_size", batch_size) > len(self):
            raise ValueError(f"batch_size must be at most {len(self)}, the number of examples; got {batch_size}")

    def shuffled(self, batch_size: int, generator: torch.Generator, part: slice = slice(None)) -> Iterator[Batch]:
        """Iterate over one epoch of full batches in random order; an incomplete last batch is dropped.

        Args:
            batch_size: number of examples in a batch, from 1 to the number of all examples.
            generator: CPU generator of the order, so that the order is the same for every device.
            part: slice of each batch for this process, if batches are distributed over processes.

        Yields:
            Batches of x (batch_size, *shape) and labels (batch_size,), sliced by `part`.

        Raises:
            TypeError, ValueError: if no batch can be filled.
        """
        self.check_batch(batch_size)
        order = torch.randperm(len(self), generator=generator).to(self.x.device)
        for rows in order.split(batch_size):
            if len(rows) == batch_size:
                yield self[rows[part]]


@dataclass(frozen=True)
class Dataset:
    """Data set of images with disjoint training and test splits.

    Args:
        name: as on the command line.
        train: training split.
        test: test split, not used in training.
        epochs: default number of passes over `train`.
        classes: names of the labels 0, 1, ...; empty if the classes have numbers only.
    """

    name: str
    train: Split
    test: Split
    epochs: int
    classes: tuple[str, ...] = ()
    kind: ClassVar[str] = "images"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example, from which a model is built: (channels, height, width) of an image."""
        return tuple(self.train.x.shape[1:])

    def resized(self, side: int) -> "Dataset":
        """Return the data set with images resized by `center_crop_resize`.

        Args:
            side: height and width in pixels, ≥ 1.

        Raises:
            TypeError, ValueError: if the examples are not images, or side is not an integer ≥ 1.
        """
        if self.kind != "images":
            raise ValueError(f"image_size is an option of images; got {self.name}, which has {self.kind}")
        train, test = (replace(split, x=center_crop_resize(split.x, side)) for split in (self.train, self.test))
        return replace(self, train=train, test=test)


def evenly_spaced_rows(n: int, count: int) -> Tensor:
    """Return the indices ⌊i·n/count⌋, i = 0, …, count − 1, of `count` evenly spaced ones of n rows, (count,)."""
    return torch.arange(count) * n // count


def center_crop_resize(images: Tensor, side: int) -> Tensor:
    """Crop images to their central square and resize it by antialiased bilinear interpolation.

    Args:
        images: (n, channels, h, w), uint8.
        side: height and width of the result in pixels, ≥ 1.

    Returns:
        (n, channels, side, side), uint8.

    Raises:
        TypeError, ValueError: if side is not an integer ≥ 1.
    """
    checks.count("image_size", side)
    h, w = images.shape[2:]
    square = min(h, w)
    top, left = (h - square) // 2, (w - square) // 2
    center = images[:, :, top : top + square, left : left + square]
    return nn.functional.interpolate(center, size=(side, side), mode="bilinear", antialias=True)


def split_rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Split n examples at random into training and test, with a fixed seed.

    Args:
        n: number of examples, ≥ 2.

    Returns:
        Indices of the training examples and of the test examples, the latter a quarter of all.

    Raises:
        ValueError: if n < 2.
    """
    if n < 2:
        raise ValueError(f"there must be at least two examples, one for training and one for testing; got {n}")
    order = np.random.default_rng(SPLIT_SEED).permutation(n)
    test, train = np.split(order, [max(1, int(n * TEST_FRACTION))])
    return train, test


def default_epochs(n: int) -> int:
    """Return the default number of epochs for n training examples: `TRAINING_EXAMPLES`/n, from 20 to 160."""
    return min(MAX_EPOCHS, max(MIN_EPOCHS, TRAINING_EXAMPLES // n))
