"""Data in memory: whole splits as uint8 on the device, indexed there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..losses import checks
from ..models.phase import Batch
from ..priors import UNKNOWN


@dataclass(frozen=True)
class Split:
    """Images and their labels.

    Args:
        images: (n, *shape) uint8.
        labels: (n,) int64, −1 where the class is not known.
        white: the value that becomes 1.0.
    """

    images: Tensor
    labels: Tensor
    white: int = 255

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(f"got {len(self.images)} images but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor | slice) -> Batch:
        """The batch at these indices, scaled to [0, 1]."""
        return Batch(self.images[index].float() / self.white, self.labels[index])

    def spread(self, n: int) -> Batch:
        """n images, or all if there are fewer, at equal steps: MNIST's first test images are easier than the rest."""
        n = min(n, len(self))
        return self[torch.arange(n) * len(self) // n]

    def to(self, device: torch.device | str) -> "Split":
        """The same split, on another device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def keep_labels(self, per_class: int) -> "Split":
        """The same images, but only the first so many of each class keep their label; the others get −1."""
        checks.count("labels_per_class", per_class, 0)
        kept = torch.full_like(self.labels, UNKNOWN)
        for label in self.labels.unique():
            rows = (self.labels == label).nonzero()[:per_class]
            kept[rows] = label
        return replace(self, labels=kept)

    def check_batch(self, batch_size: int) -> None:
        """Require that at least one batch can be filled.

        Raises:
            ValueError: if batch_size is not between 1 and the number of images.
        """
        if checks.count("batch_size", batch_size) > len(self):
            raise ValueError(f"batch_size must be at most {len(self)}, the number of images; got {batch_size}")

    def shuffled(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """One epoch of full batches in random order; the last images that fill no batch sit this epoch out.

        Args:
            batch_size: at most the number of images.
            generator: of the order, on the CPU, so that the order is the same for every device.

        Raises:
            ValueError: if no batch can be filled.
        """
        self.check_batch(batch_size)
        order = torch.randperm(len(self), generator=generator).to(self.images.device)
        for rows in order.split(batch_size):
            if len(rows) == batch_size:
                yield self[rows]


@dataclass(frozen=True)
class Data:
    """A data set with an honest split: nothing of `test` is seen in training.

    Args:
        name: as on the command line.
        train, test: its two splits.
        epochs: passes over `train` that give a well trained small model.
    """

    name: str
    train: Split
    test: Split
    epochs: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image: (channels, height, width)."""
        return tuple(self.train.images.shape[1:])
