"""Figures of a model during training."""

from pathlib import Path

import torch
from matplotlib.figure import Figure

from ...data import Dataset, PointCloudDataset
from ...models import Autoencoder, GenerativeModel
from ...utils.atomic import atomic_write
from . import figures
from .style import style

IMAGE_GRID, POINT_CLOUD_GRID = (4, 12), (3, 6)  # rows and columns


@torch.no_grad()
def write_training_figures(model: GenerativeModel, data: Dataset, folder: Path, stem: str) -> None:
    """Write samples and, of an autoencoder, interpolations as `STEM-samples.png` and `STEM-interpolations.png`.

    The model's mode and the global random state are restored.

    Args:
        model: model of images or point clouds.
        data: data set with the test examples to interpolate.
        folder: folder of the figures, created if it does not exist.
        stem: beginning of the file names.
    """
    rows, columns = POINT_CLOUD_GRID if isinstance(data, PointCloudDataset) else IMAGE_GRID
    folder.mkdir(exist_ok=True)
    training = model.training
    model.eval()
    with style(), torch.random.fork_rng():  # codes may be random
        figures_by_name = {"samples": figures.samples(model, rows, columns)}
        if isinstance(model, Autoencoder):
            figures_by_name["interpolations"] = figures.interpolations(model, data, rows, columns - 2)
    model.train(training)
    for name, figure in figures_by_name.items():
        _write(figure, folder / f"{stem}-{name}.png")


def _write(figure: Figure, path: Path) -> None:
    atomic_write(path, lambda part: figure.savefig(part, format="png", bbox_inches="tight"))
