"""Trained model with its data, and the samples, reconstructions and codes that metrics share, each computed once."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ..data import Dataset, Split
from ..data.batch import UNLABELED, Batch
from ..latent import linear
from ..models import Autoencoder, GenerativeModel

MAX_TEST_EXAMPLES = 10_000
BATCH = 1000  # examples in a forward pass
SEED = 0
KMEANS_STARTS = 10


class EvaluatedModel:
    """Trained model with its data, the input of every metric.

    Properties are computed on first use from fixed seeds, so their values do not depend on the order of use.

    Args:
        model: trained model, on any device.
        data: data set of the training.
        fully_labeled: training examples with all labels, if `data.train` has only some; None: `data.train`.
        kmeans_starts: number of random starts of k-means on codes.
        classifier_dir: folder of the classifiers of `feature_distances`; None: the user's cache.
    """

    def __init__(
        self,
        model: GenerativeModel,
        data: Dataset,
        *,
        fully_labeled: Split | None = None,
        kmeans_starts: int = KMEANS_STARTS,
        classifier_dir: Path | None = None,
    ) -> None:
        self.model, self.data = model.eval(), data
        self.kmeans_starts, self.classifier_dir = kmeans_starts, classifier_dir
        self.fully_labeled = data.train if fully_labeled is None else fully_labeled
        self.device = next(model.parameters()).device

    def generator(self) -> torch.Generator:
        """Return a newly seeded random number generator on the model's device."""
        return torch.Generator(self.device).manual_seed(SEED)

    @property
    def autoencoder(self) -> Autoencoder:
        """The model as an autoencoder.

        Raises:
            TypeError: if it has no encoder.
        """
        if not isinstance(self.model, Autoencoder):
            raise TypeError(f"{type(self.model).__name__} has no encoder")
        return self.model

    @cached_property
    def train(self) -> Batch:
        """Evenly spaced training examples, at most 20,000, on the model's device."""
        return self.fully_labeled.evenly_spaced(2 * MAX_TEST_EXAMPLES).to(self.device)

    @cached_property
    def test(self) -> Batch:
        """Evenly spaced test examples, at most 10,000, on the model's device."""
        return self.data.test.evenly_spaced(MAX_TEST_EXAMPLES).to(self.device)

    @cached_property
    def num_classes(self) -> int:
        """Number of classes of the test examples; 0 if some have no label."""
        labels = self.data.test.labels
        return 0 if (labels == UNLABELED).any() else int(labels.max()) + 1

    @cached_property
    def samples(self) -> Tensor:
        """Samples of the model, as many as there are examples in `test`."""
        with torch.no_grad():
            return self._decode(self.model.sample_latent(len(self.test.x), self.generator()))

    @cached_property
    def codes(self) -> Tensor:
        """Codes of `test` as input of the decoder, (n, d)."""
        return self.codes_of(self.test)

    @cached_property
    def prior_samples(self) -> tuple[Tensor, Tensor]:
        """Two independent samples of the prior, each of the shape of `codes`."""
        generator = self.generator()
        first, second = (self.autoencoder.prior_like(self.codes, generator) for _ in range(2))
        return first, second

    @cached_property
    def reconstructions(self) -> Tensor:
        """Reconstructions of `test`."""
        return self._in_batches(self.autoencoder.reconstruct, self.test)

    @cached_property
    def midpoints(self) -> Tensor:
        """Decoded midpoints between the codes of each test example and the preceding one."""
        return self._decode(torch.lerp(self.codes, self.codes.roll(1, 0), 0.5))

    def paths(self, pairs: int, steps: int) -> Tensor:
        """Interpolate linearly between the codes of the first test examples and the next ones, (pairs, steps, d)."""
        pairs = min(pairs, len(self.codes) // 2)
        return linear(self.codes[:pairs], self.codes[pairs : 2 * pairs], steps)

    def codes_of(self, batch: Batch) -> Tensor:
        """Compute the codes of a batch as input of the decoder, (n, d)."""
        return self._in_batches(self.autoencoder.training_codes, batch)

    @cached_property
    def train_codes(self) -> Batch:
        """Deterministic codes of all labeled training examples, encoded without their labels; and the labels."""
        return self._encoded(self.fully_labeled.labeled())

    @cached_property
    def test_codes(self) -> Batch:
        """Deterministic codes of all labeled test examples, encoded without their labels; and the labels."""
        return self._encoded(self.data.test.labeled())

    def decode(self, z: Tensor) -> Tensor:
        """Decode codes (..., d)."""
        return self._decode(z.flatten(0, -2)).unflatten(0, z.shape[:-1])

    @torch.no_grad()
    def _decode(self, z: Tensor) -> Tensor:
        return torch.cat([self.model.decode(part) for part in z.split(BATCH)])

    def _encoded(self, split: Split) -> Batch:
        parts = (split[rows].to(self.device) for rows in torch.arange(len(split)).split(BATCH))
        with torch.no_grad():
            codes = torch.cat([self.autoencoder.encode(part.x) for part in parts])
        return Batch(codes, split.labels.to(self.device))

    @torch.no_grad()
    def _in_batches(self, function: Callable[[Batch], Tensor], batch: Batch) -> Tensor:
        """Apply a function to parts of a batch, from a fixed seed."""
        parts = zip(batch.x.split(BATCH), batch.label.split(BATCH), strict=True)
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            return torch.cat([function(Batch(x, label)) for x, label in parts])
