"""Report of a run: metrics as JSON, figures as PNG files, and a self-contained report.html."""

import base64
import io
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import jinja2
import torch
from matplotlib.figure import Figure

from ...data import Dataset, PointCloudDataset, TableDataset
from ...models import Autoencoder, GenerativeModel, TabularAutoencoder
from ...utils.atomic import atomic_write
from ..evaluated_model import MAX_TEST_EXAMPLES
from ..metrics.reconstruction import column_errors, typical_row
from ..metrics.registry import compute_quick_metrics
from ..metrics.result import MetricResult
from . import figures
from .results import write_results
from .style import style
from .table_figure import errors_by_column

REPORT = "report.html"
IMAGE_COLUMNS, CLOUD_COLUMNS = 16, 8  # of a grid
CAPTIONS = {
    "samples": "Samples: decoded samples of the prior.",
    "reconstructions": "Reconstructions: test {kind} above their reconstructions.",
    "interpolations": "Interpolations: decoded linear interpolations between the codes of two test {kind}, "
    "with the test {kind} themselves outside the orange lines.",
    "columns": "Reconstruction error by column, on test rows.",
    "latent": "Latent space: codes of test {kind} and a sample of the prior, in the same coordinates ({coordinates}).",
    "curves": "Loss curves: mean of each loss term over an epoch, on training and on test {kind}. "
    "Test {kind} are not used in training.",
}


class ReportInput(Protocol):
    """Training run as input of a report."""

    @property
    def run_dir(self) -> Path:
        """Run folder."""

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """Record of each epoch."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Options of model, data and training."""


class Report(NamedTuple):
    """Content of a report.

    Args:
        result: training run.
        metrics: values for the model and for baselines.
        figures: name, source as a data URI, and caption of each figure.
        kind: kind of the data, see `Dataset.kind`.
    """

    result: ReportInput
    metrics: list[MetricResult]
    figures: list[dict[str, str]]
    kind: str

    def write(self, over_seeds: Mapping[tuple[str, str], str] | None = None) -> None:
        """Write results.json and report.html into the run folder.

        Args:
            over_seeds: means over several runs as text, by group and label of the metric; None: no such column.
        """
        run_dir = self.result.run_dir
        write_results(run_dir, self.metrics)
        atomic_write(run_dir / REPORT, lambda path: path.write_text(self._render(over_seeds or {})))

    def _render(self, over_seeds: Mapping[tuple[str, str], str]) -> str:
        environment = jinja2.Environment(loader=jinja2.PackageLoader(__package__, "."), autoescape=True)
        return environment.get_template(REPORT).render(
            options=self.result.options,
            groups=group_results(self.metrics),
            over_seeds=over_seeds,
            figures=self.figures,
            kind=self.kind,
            last_epoch=self.result.history[-1],
            folder=self.result.run_dir.name,
        )


def write_report(
    model: GenerativeModel, data: Dataset, result: ReportInput, metrics: list[MetricResult] | None = None
) -> Report:
    """Write results.json, a PNG file for each figure and report.html into the run folder.

    Args:
        model: trained model, on any device.
        data: data set of the training.
        result: training run.
        metrics: metrics of the model; None: the quick ones are computed.
    """
    metrics = compute_quick_metrics(model, data) if metrics is None else metrics
    report = Report(result, metrics, _write_figures(model, data, result), data.kind)
    report.write()
    return report


def group_results(results: Sequence[MetricResult]) -> list[tuple[str, list[MetricResult]]]:
    """Return consecutive results of one group together, with the group's heading."""
    return [(heading, list(members)) for heading, members in groupby(results, lambda result: result.heading)]


@torch.no_grad()
def _write_figures(model: GenerativeModel, data: Dataset, result: ReportInput) -> list[dict[str, str]]:
    """Write the PNG files, and return name, source as a data URI, and caption of each."""
    model.eval()
    coordinates = "as they are" if model.prior.dim <= 2 else "the first two principal components of the codes"
    entries = []
    with style():
        figures_by_name = {**_example_figures(model, data), "curves": figures.loss_curves(result.history)}
        for name, figure in figures_by_name.items():
            png = io.BytesIO()
            figure.savefig(png, format="png", bbox_inches="tight")
            (result.run_dir / f"{name}.png").write_bytes(png.getvalue())
            source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
            caption = CAPTIONS[name].format(coordinates=coordinates, kind=data.kind)
            entries.append({"name": name, "source": source, "caption": caption})
    return entries


def _example_figures(model: GenerativeModel, data: Dataset) -> dict[str, Figure]:
    """Draw the figures of examples and codes."""
    if isinstance(model, TabularAutoencoder) and isinstance(data, TableDataset):
        return {"columns": _column_figure(model, data), "latent": figures.latent_space(model, data)}
    columns = CLOUD_COLUMNS if isinstance(data, PointCloudDataset) else IMAGE_COLUMNS
    figures_by_name = {"samples": figures.samples(model, columns // 2, columns)}
    if isinstance(model, Autoencoder):
        figures_by_name["reconstructions"] = figures.reconstructions(model, data, columns)
        figures_by_name["interpolations"] = figures.interpolations(model, data, columns // 2, columns - 2)
        figures_by_name["latent"] = figures.latent_space(model, data)
    return figures_by_name


def _column_figure(model: TabularAutoencoder, data: TableDataset) -> Figure:
    device = next(model.parameters()).device
    train, test = (split.evenly_spaced(MAX_TEST_EXAMPLES).to(device) for split in (data.train, data.test))
    model_errors = column_errors(model.columns, test.x, model.reconstruct(test))
    typical = typical_row(model.columns, train.x).expand_as(test.x)
    return errors_by_column(data.columns, model_errors, column_errors(model.columns, test.x, typical))
