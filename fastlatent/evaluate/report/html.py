"""The report of a run: figures as PNG files, and one report.html that needs no other file."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import NamedTuple

import jinja2
import torch
from matplotlib.figure import Figure

from ...data import Dataset, PointCloudDataset, TableDataset
from ...models import Autoencoder, GenerativeModel, TabularAutoencoder
from ...train import TrainingResult
from ...train.run_dir import RESULTS, atomic_write, read_config
from ...utils.run_format import RUN_FORMAT
from ..evaluated_model import EXAMPLES
from ..metrics import tables
from ..metrics.registry import measure
from ..metrics.result import MetricResult
from . import figures

IMAGES_ACROSS, CLOUDS_ACROSS = 16, 8  # columns of a sheet
CAPTIONS = {
    "samples": "Samples: decoded draws from the prior.",
    "reconstructions": "Reconstructions: test {kind}, and below each what the model makes of its code.",
    "interpolations": "Interpolations: straight lines in the latent space between two test {kind}, "
    "which stand outside the orange lines.",
    "columns": "Reconstructions by column: the error of rows that the model makes of the codes of test rows. "
    "Rows are not drawn: for tables there are no pictures of samples and interpolations.",
    "latent": "The latent space: codes of test {kind} beside a sample of the prior, in the same coordinates ({view}).",
    "curves": "Training: the terms of the loss, mean over each epoch, and the same on test {kind}, "
    "which steered nothing.",
}


class Report(NamedTuple):
    """What a report shows of a run.

    Args:
        fit: its training.
        numbers: of the model.
        pictures: for each figure its name, its source as a data URI, and its caption.
        kind: of the data.
    """

    fit: TrainingResult
    numbers: list[MetricResult]
    pictures: list[dict[str, str]]
    kind: str

    def write(self, over_seeds: Mapping[tuple[str, str], str] | None = None) -> None:
        """Write results.json and report.html into the run folder.

        Args:
            over_seeds: what else is shown of a number, by its group and what it is of: its mean over runs.
        """
        folder = self.fit.run_dir
        results = json.dumps(
            {"format": RUN_FORMAT, "metrics": [asdict(number) for number in self.numbers]}, indent=2, ensure_ascii=False
        )
        atomic_write(folder / RESULTS, lambda path: path.write_text(results + "\n"))
        atomic_write(folder / "report.html", lambda path: path.write_text(self._page(over_seeds or {})))

    def _page(self, over_seeds: Mapping[tuple[str, str], str]) -> str:
        environment = jinja2.Environment(loader=jinja2.PackageLoader(__package__, "."), autoescape=True)
        return environment.get_template("report.html").render(
            config=read_config(self.fit.run_dir),
            groups=grouped(self.numbers),
            over_seeds=over_seeds,
            pictures=self.pictures,
            kind=self.kind,
            last=self.fit.history[-1],
            folder=self.fit.run_dir.name,
        )


def write_report(
    model: GenerativeModel, data: Dataset, fit: TrainingResult, numbers: list[MetricResult] | None = None
) -> Report:
    """Write results.json, a PNG for each figure and report.html into the run folder.

    Args:
        model: trained; on any device.
        data: the data it was trained on.
        fit: its training.
        numbers: of the model; None: the quick ones are measured.

    Returns:
        What the report shows.
    """
    numbers = measure(model, data) if numbers is None else numbers
    report = Report(fit, numbers, _draw(model, data, fit), data.kind)
    report.write()
    return report


def grouped(numbers: Sequence[MetricResult]) -> list[tuple[str, list[MetricResult]]]:
    """Numbers by what they measure, in order."""
    return [(group, list(members)) for group, members in groupby(numbers, lambda number: number.group)]


@torch.no_grad()
def _draw(model: GenerativeModel, data: Dataset, fit: TrainingResult) -> list[dict[str, str]]:
    """Write the PNG files; for each, its source as a data URI and its caption."""
    model.eval()
    pictures = []
    with figures.style():
        made = {**_examples(model, data), "curves": figures.curves(fit.history)}
        for name, figure in made.items():
            png = io.BytesIO()
            figure.savefig(png, format="png", bbox_inches="tight")
            (fit.run_dir / f"{name}.png").write_bytes(png.getvalue())
            view = "themselves" if model.prior.dim <= 2 else "the two principal components of the codes"
            source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
            caption = CAPTIONS[name].format(view=view, kind=data.kind)
            pictures.append({"name": name, "source": source, "caption": caption})
    return pictures


def _examples(model: GenerativeModel, data: Dataset) -> dict[str, Figure]:
    """The figures that show examples and codes."""
    if isinstance(model, TabularAutoencoder) and isinstance(data, TableDataset):
        device = next(model.parameters()).device
        train, test = data.train.spread(EXAMPLES).to(device), data.test.spread(EXAMPLES).to(device)
        columns = tables.errors_by_column(model.columns, data.columns, train.x, test.x, model.reconstruct(test))
        return {"columns": columns, "latent": figures.latent(model, data)}
    across = CLOUDS_ACROSS if isinstance(data, PointCloudDataset) else IMAGES_ACROSS
    made = {"samples": figures.samples(model, across // 2, across)}
    if isinstance(model, Autoencoder):
        made["reconstructions"] = figures.reconstructions(model, data, across)
        made["interpolations"] = figures.interpolations(model, data, across // 2, across - 2)
        made["latent"] = figures.latent(model, data)
    return made
