"""Features of a small image classifier, trained once for each data set and cached."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ...data import Split
from ...data.batch import Batch
from ...utils.atomic import atomic_write
from ...utils.threads import torch_threads

WIDTH, FEATURES = 16, 64
TRAINING_IMAGES, BATCH, LR = 2**17, 128, 3e-3  # images over all epochs
EXTRACTION_BATCH = 1000
HYPERPARAMETERS = (WIDTH, FEATURES, TRAINING_IMAGES, BATCH, LR, 2)  # part of the cache key; the last is a version


@dataclass(frozen=True)
class Features:
    """Feature extractor of images.

    Args:
        name: name of the network, part of the groups of metrics.
        extract: function from images (n, channels, height, width) in [0, 1] to features (n, d).
    """

    name: str
    extract: Callable[[Tensor], Tensor]


class SmallNetwork(nn.Module):
    """Two 3×3 convolutions with ReLU and 2×2 max pooling, a layer of 64 features with ReLU, and a linear head.

    Args:
        shape: (channels, height, width) of the images.
        outputs: number of outputs for each image.
    """

    scale: Tensor

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        channels, height, width = shape
        pixels = -(-height // 4) * -(-width // 4)
        self.features = nn.Sequential(
            *[nn.Conv2d(channels, WIDTH, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)],
            *[nn.Conv2d(WIDTH, 2 * WIDTH, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)],
            *[nn.Flatten(), nn.Linear(2 * WIDTH * pixels, FEATURES), nn.ReLU()],
        )
        self.head = nn.Linear(FEATURES, outputs)
        self.register_buffer("scale", torch.ones(()))

    def embed(self, x: Tensor) -> Tensor:
        """Compute the features (n, 64), divided by `scale`."""
        return self.features(x) / self.scale

    def forward(self, x: Tensor) -> Tensor:
        """Compute the outputs (n, outputs)."""
        return self.head(self.features(x))


def classifier_features(name: str, train: Split, test: Split, device: torch.device, folder: Path | None) -> Features:
    """Load the classifier of a data set from the cache, or train it and write it there, and return its features.

    Training runs on the CPU, on one thread and from a fixed seed, so it is reproducible. The test images are used only
    for the reported test error. Features are divided by their root mean square over training images, so that those of
    different classifiers have the same scale.

    Args:
        name: name of the data set.
        train: training images with labels from 0.
        test: test images with labels from 0.
        device: device of the feature extraction.
        folder: folder of classifiers; None: `default_classifier_dir()`.

    Raises:
        OSError: if the file can be neither read nor written.
    """
    path = (folder or default_classifier_dir()) / f"{name}-{_digest(train)}.safetensors"
    network = SmallNetwork(tuple(train.x.shape[1:]), int(train.labels.max()) + 1)
    if not path.is_file():
        _train(network, train)
        network.scale.copy_(_root_mean_square(network, train))
        error = f"{_error(network, test):.4f}"
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, lambda part: save_file(network.state_dict(), part, {"test error": error}))
    with safe_open(path, "pt") as file:
        error = file.metadata()["test error"]
        network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    return Features(f"a classifier (test error {error})", _extractor(network.eval().to(device)))


def default_classifier_dir() -> Path:
    """Return the folder of classifiers, $FASTLATENT_CACHE or ~/.cache/fastlatent/classifiers."""
    return Path(os.environ.get("FASTLATENT_CACHE") or Path.home() / ".cache" / "fastlatent" / "classifiers")


def _extractor(network: SmallNetwork) -> Callable[[Tensor], Tensor]:
    @torch.no_grad()
    def extract(images: Tensor) -> Tensor:
        return torch.cat([network.embed(part) for part in images.split(EXTRACTION_BATCH)])

    return extract


def _digest(train: Split) -> str:
    """Return a hash of hyperparameters, training images and labels, which determine the weights."""
    digest = hashlib.sha256(repr((HYPERPARAMETERS, tuple(train.x.shape), train.max_value)).encode())
    for values in (train.x, train.labels):
        digest.update(values.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _train(network: SmallNetwork, train: Split) -> None:
    batch, order = min(BATCH, len(train)), torch.Generator().manual_seed(0)
    steps = TRAINING_IMAGES // batch
    with torch.random.fork_rng(), torch_threads(1), torch.enable_grad():
        torch.manual_seed(0)
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.reset_parameters()
        adam = torch.optim.Adam(network.parameters(), lr=LR)
        schedule = torch.optim.lr_scheduler.OneCycleLR(adam, LR, total_steps=steps)
        while steps:
            for examples in train.shuffled(batch, order):
                if not steps:
                    break
                adam.zero_grad()
                nn.functional.cross_entropy(network(examples.x), examples.label).backward()
                adam.step()
                schedule.step()
                steps -= 1


@torch.no_grad()
def _error(network: SmallNetwork, test: Split) -> float:
    errors = [(network(part.x).argmax(1) != part.label).sum() for part in _parts(test)]
    return float(torch.stack(errors).sum()) / len(test)


@torch.no_grad()
def _root_mean_square(network: SmallNetwork, train: Split) -> Tensor:
    squares = [network.features(part.x).square().sum() for part in _parts(train)]
    return (torch.stack(squares).sum() / (FEATURES * len(train))).sqrt()


def _parts(split: Split) -> Iterator[Batch]:
    return (split[rows] for rows in torch.arange(len(split)).split(EXTRACTION_BATCH))
