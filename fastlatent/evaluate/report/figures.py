"""Figures of examples, codes and losses: functions from a model and test data to a matplotlib figure."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from sklearn.decomposition import PCA

from ...data import Dataset
from ...data.batch import UNLABELED
from ...models import Autoencoder, GenerativeModel
from .grids import example_grid
from .style import BLUE, INK, ORANGE, class_colors, subplots

MAX_POINTS = 2000  # codes in a scatter plot
MAX_CURVES_PER_ROW = 4
MAX_LEGEND_ROWS = 13


def reconstructions(model: Autoencoder, data: Dataset, columns: int) -> Figure:
    """Draw test examples above their reconstructions, in two rows of `columns` examples each."""
    batch = data.test[: 2 * columns]
    outputs = model.reconstruct(batch.to(_device(model))).cpu()
    rows = [batch.x[:columns], outputs[:columns], batch.x[columns:], outputs[columns:]]
    figure, axes = subplots(4, 1, figsize=(8, 0.3 + 32 / columns), gridspec_kw={"hspace": 0.06})
    for ax, images, label in zip(axes, rows, ["test", "model"] * 2, strict=True):
        example_grid(ax, images[None])
        ax.set_ylabel(label, rotation=0, ha="right", va="center", color=INK)
    return figure


def samples(model: GenerativeModel, rows: int, columns: int) -> Figure:
    """Draw decoded samples of the prior in a grid of rows and columns."""
    decoded = model.sample(rows * columns, generator=_generator(model)).cpu()
    figure, ax = subplots(figsize=(8, 8 * rows / columns))
    example_grid(ax, decoded.unflatten(0, (rows, columns)))
    return figure


def interpolations(model: Autoencoder, data: Dataset, rows: int, columns: int) -> Figure:
    """Draw decoded linear interpolations between codes of two test examples, with the examples at both ends.

    Args:
        model: model in evaluation mode.
        data: data set with the test examples.
        rows: number of interpolations.
        columns: number of points of each interpolation.
    """
    a, b = data.test[:rows], data.test[rows : 2 * rows]
    start, end = (model.training_codes(batch.to(_device(model))) for batch in (a, b))
    steps = torch.linspace(0, 1, columns, device=start.device)[:, None]
    decoded = torch.stack([model.decode(torch.lerp(p, q, steps)).cpu() for p, q in zip(start, end, strict=True)])
    figure, ax = subplots(figsize=(8, 8 * rows / (columns + 2)))
    example_grid(ax, torch.cat([a.x[:, None], decoded, b.x[:, None]], dim=1))
    width = ax.get_xlim()[1] / (columns + 2)
    for x in (width - 1, (columns + 1) * width - 1):
        ax.axvline(x, color=ORANGE, linewidth=2)
    return figure


def latent_space(model: Autoencoder, data: Dataset) -> Figure:
    """Draw codes of test examples by class, and a sample of the prior, in the same two coordinates."""
    batch = data.test.evenly_spaced(MAX_POINTS)
    codes = model.training_codes(batch.to(_device(model)))
    prior = model.prior_like(codes, _generator(model)).cpu().numpy()
    project, axis_names = project_2d(codes.cpu().numpy())
    codes_2d, prior_2d = project(codes.cpu().numpy()), project(prior)
    figure, axes = subplots(1, 2, figsize=(8, 3.9), sharex=True, sharey=True, layout="compressed")
    classes = batch.label.unique().tolist()
    for color, label in zip(class_colors(len(classes)), classes, strict=True):
        points = codes_2d[batch.label.numpy() == label]
        axes[0].scatter(*points.T, s=7, color=color, alpha=0.75, linewidths=0, label=_class_name(data, label))
    axes[1].scatter(*prior_2d.T, s=7, color="#5f6368", alpha=0.5, linewidths=0)
    axes[0].set(title=f"codes of test {data.kind}, by class", ylabel=axis_names[1], aspect="equal")
    axes[1].set(title="sample of the prior", aspect="equal")
    for ax in axes:
        ax.set_xlabel(axis_names[0])
    axes[1].legend(
        *axes[0].get_legend_handles_labels(),
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        handletextpad=0.1,
        markerscale=2,
        ncols=-(-len(classes) // MAX_LEGEND_ROWS),
    )
    return figure


def project_2d(codes: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], Sequence[str]]:
    """Return a projection of codes (n, d) to two dimensions, and the names of its axes.

    The projection is the identity for d ≤ 2 (padded with zeros for d = 1), else PCA fitted on the codes.
    """
    if codes.shape[1] <= 2:
        return (lambda z: np.pad(z, ((0, 0), (0, 2 - z.shape[1])))), ("first coordinate", "second coordinate")
    return PCA(2, random_state=0).fit(codes).transform, ("first principal component", "second principal component")


def loss_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """Draw each loss term over the epochs, on training and test examples.

    Args:
        history: record of each epoch, with the entries "epoch", "train/TERM" and "test/TERM".
    """
    terms = [name.removeprefix("train/") for name in history[-1] if name.startswith("train/")]
    columns = min(len(terms), MAX_CURVES_PER_ROW)
    rows = -(-len(terms) // columns)
    figure, axes = subplots(rows, columns, figsize=(8, 2.6 * rows), layout="constrained", squeeze=False)
    epochs = [record["epoch"] for record in history]
    has_phases = len({term.split("/")[0] for term in terms}) > 1
    for ax in axes.flat[len(terms) :]:
        ax.set_axis_off()
    for ax, term in zip(axes.flat, terms, strict=False):
        for part, color in (("train", BLUE), ("test", ORANGE)):
            ax.plot(epochs, [record[f"{part}/{term}"] for record in history], color=color, linewidth=1.4, label=part)
        values = [record[f"{part}/{term}"] for record in history for part in ("train", "test")]
        ax.set(title=term.replace("/", "\n") if has_phases else term.split("/")[-1], xlabel="epoch")
        if min(values) > 0:
            ax.set_yscale("log")
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].legend()
    return figure


def _class_name(data: Dataset, label: int) -> str:
    if label == UNLABELED:
        return "no class"
    return data.classes[label] if data.classes else str(label)


def _device(model: GenerativeModel) -> torch.device:
    return next(model.parameters()).device


def _generator(model: GenerativeModel) -> torch.Generator:
    return torch.Generator(_device(model)).manual_seed(0)
