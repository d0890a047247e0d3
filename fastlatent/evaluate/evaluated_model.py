"""What is measured: a trained model with its data, and what it makes of them, each made once."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ..data import Dataset, Split
from ..data.batch import UNLABELED, Batch
from ..latent import linear
from ..models import Autoencoder, GenerativeModel

EXAMPLES = 10_000  # at most so many test examples are compared
BATCH = 1000  # examples that go through the model at a time
SEED = 0
KMEANS_STARTS = 10


class EvaluatedModel:
    """A trained model under measurement.

    Every property is the same each time it is asked for, whatever was asked before.

    Args:
        model: trained; on any device.
        data: the data it was trained on.
        labeled: its training examples with all their labels, if `data.train` hides some; None: `data.train`.
        starts: of k-means.
        cache: folder of classifiers whose features images are compared in; None: the user's cache.
    """

    def __init__(
        self,
        model: GenerativeModel,
        data: Dataset,
        *,
        labeled: Split | None = None,
        starts: int = KMEANS_STARTS,
        cache: Path | None = None,
    ) -> None:
        self.model, self.data, self.starts, self.cache = model.eval(), data, starts, cache
        self.labeled = data.train if labeled is None else labeled
        self.device = next(model.parameters()).device

    def generator(self) -> torch.Generator:
        """A fresh source of randomness, on the model's device."""
        return torch.Generator(self.device).manual_seed(SEED)

    @property
    def autoencoder(self) -> Autoencoder:
        """The model, if it has an encoder.

        Raises:
            TypeError: if it has none.
        """
        if not isinstance(self.model, Autoencoder):
            raise TypeError(f"{type(self.model).__name__} has no encoder")
        return self.model

    @cached_property
    def train(self) -> Batch:
        """Training examples, twice as many as those of `test`, on the model's device."""
        return self.labeled.spread(2 * EXAMPLES).to(self.device)

    @cached_property
    def test(self) -> Batch:
        """Test examples, on the model's device."""
        return self.data.test.spread(EXAMPLES).to(self.device)

    @cached_property
    def classes(self) -> int:
        """Number of classes among the test examples' labels; 0 if one has none."""
        labels = self.data.test.labels
        return 0 if (labels == UNLABELED).any() else int(labels.max()) + 1

    @cached_property
    def samples(self) -> Tensor:
        """As many samples of the model as `test` has examples."""
        with torch.no_grad():
            return self._decode(self.model.sample_latent(len(self.test.x), self.generator()))

    @cached_property
    def codes(self) -> Tensor:
        """Codes of `test` as the decoder meets them, (n, d)."""
        return self.codes_of(self.test)

    @cached_property
    def prior(self) -> tuple[Tensor, Tensor]:
        """Two samples of the prior, each like `codes`."""
        generator = self.generator()
        fresh, other = (self.autoencoder.prior_like(self.codes, generator) for _ in range(2))
        return fresh, other

    @cached_property
    def reconstructions(self) -> Tensor:
        """What the model makes of `test`."""
        return self._in_batches(self.autoencoder.reconstruct, self.test)

    @cached_property
    def midpoints(self) -> Tensor:
        """Decoded middles of the straight lines between the codes of each test example and the one before it."""
        return self._decode(torch.lerp(self.codes, self.codes.roll(1, 0), 0.5))

    def paths(self, pairs: int, steps: int) -> Tensor:
        """Straight lines between the codes of the first test examples and the next, (pairs, steps, d)."""
        pairs = min(pairs, len(self.codes) // 2)
        return linear(self.codes[:pairs], self.codes[pairs : 2 * pairs], steps)

    def codes_of(self, batch: Batch) -> Tensor:
        """Codes of a batch as the decoder meets them."""
        return self._in_batches(self.autoencoder.training_codes, batch)

    @cached_property
    def train_codes(self) -> Batch:
        """Codes of all training examples that have a label, without chance and without the label, and the labels."""
        return self._encoded(self.labeled.known())

    @cached_property
    def test_codes(self) -> Batch:
        """The same of all test examples."""
        return self._encoded(self.data.test.known())

    def decode(self, z: Tensor) -> Tensor:
        """What the model makes of codes (..., d)."""
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
        """What a function makes of a batch; what it draws at random is the same each time."""
        parts = zip(batch.x.split(BATCH), batch.label.split(BATCH), strict=True)
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            return torch.cat([function(Batch(x, label)) for x, label in parts])
