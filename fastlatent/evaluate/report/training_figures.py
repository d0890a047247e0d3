"""Figures of a model while it is trained."""

from pathlib import Path

import torch
from matplotlib.figure import Figure

from ...data import Dataset, PointCloudDataset
from ...models import Autoencoder, GenerativeModel
from ...utils.atomic import atomic_write
from . import figures

IMAGES, CLOUDS = (4, 12), (3, 6)  # rows and columns of a sheet


@torch.no_grad()
def draw_halfway(model: GenerativeModel, data: Dataset, folder: Path, stem: str) -> None:
    """Write samples and, of an autoencoder, interpolations as `STEM-samples.png` and `STEM-interpolations.png`.

    Neither the model nor the numbers that the training draws next are changed by it.

    Args:
        model: of images or point clouds.
        data: whose test examples are interpolated.
        folder: of the figures, made if it is not there.
        stem: how their names begin.
    """
    rows, columns = CLOUDS if isinstance(data, PointCloudDataset) else IMAGES
    folder.mkdir(exist_ok=True)
    training = model.training
    model.eval()
    with figures.style(), torch.random.fork_rng():  # codes may be drawn at random
        made = {"samples": figures.samples(model, rows, columns)}
        if isinstance(model, Autoencoder):
            made["interpolations"] = figures.interpolations(model, data, rows, columns - 2)
    model.train(training)
    for name, figure in made.items():
        _write(figure, folder / f"{stem}-{name}.png")


def _write(figure: Figure, path: Path) -> None:
    atomic_write(path, lambda part: figure.savefig(part, format="png", bbox_inches="tight"))
