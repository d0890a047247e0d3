"""The report of a run: figures as PNG files, and one report.html that needs no other file."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import matplotlib
import torch

from ..data import Data
from ..models import Autoencoder, Generative
from ..train import Fit
from ..train.folder import CONFIG, write_whole
from . import figures
from .metrics import Number, measure

CAPTIONS = {
    "samples": "Samples: decoded draws from the prior.",
    "reconstructions": "Reconstructions: test images, and below each what the model makes of its code.",
    "interpolations": "Interpolations: straight lines in the latent space between two test images, "
    "which stand outside the orange lines.",
    "latent": "The latent space: codes of test images beside a sample of the prior, in the same coordinates ({view}).",
    "curves": "Training: the terms of the loss, mean over each epoch, and the same on test images, "
    "which steered nothing.",
}


def write_report(model: Generative, data: Data, fit: Fit) -> list[Number]:
    """Measure the model on test data; write results.json, a PNG for each figure and report.html into the run folder.

    Returns:
        The numbers.
    """
    numbers = measure(model, data)
    results = json.dumps([asdict(number) for number in numbers], indent=2, ensure_ascii=False)
    write_whole(fit.folder / "results.json", lambda path: path.write_text(results + "\n"))
    pictures = _draw(model, data, fit)
    write_whole(fit.folder / "report.html", lambda path: path.write_text(_page(fit, numbers, pictures)))
    return numbers


def grouped(numbers: Sequence[Number]) -> list[tuple[str, list[Number]]]:
    """Numbers by what they measure, in order."""
    return [(group, list(members)) for group, members in groupby(numbers, lambda number: number.group)]


@torch.no_grad()
def _draw(model: Generative, data: Data, fit: Fit) -> list[dict[str, str]]:
    """Write the PNG files; for each, its source as a data URI and its caption."""
    matplotlib.use("agg")
    model.eval()
    pictures = []
    with figures.style():
        made = {"samples": figures.samples(model)}
        if isinstance(model, Autoencoder):
            made["reconstructions"] = figures.reconstructions(model, data)
            made["interpolations"] = figures.interpolations(model, data)
            made["latent"] = figures.latent(model, data)
        made["curves"] = figures.curves(fit.history)
        for name, figure in made.items():
            png = io.BytesIO()
            figure.savefig(png, format="png", bbox_inches="tight")
            figures.plt.close(figure)
            (fit.folder / f"{name}.png").write_bytes(png.getvalue())
            view = "themselves" if model.prior.dim <= 2 else "the two principal components of the codes"
            source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
            pictures.append({"name": name, "source": source, "caption": CAPTIONS[name].format(view=view)})
    return pictures


def _page(fit: Fit, numbers: Sequence[Number], pictures: Sequence[dict[str, str]]) -> str:
    environment = jinja2.Environment(loader=jinja2.PackageLoader(__package__, "."), autoescape=True)
    config: dict[str, Any] = _config(fit.folder)
    return environment.get_template("report.html").render(
        config=config, groups=grouped(numbers), pictures=pictures, last=fit.history[-1], folder=fit.folder.name
    )


def _config(folder: Path) -> dict[str, Any]:
    import yaml

    return yaml.safe_load((folder / CONFIG).read_text())
