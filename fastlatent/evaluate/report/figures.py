"""The figures of a report: functions from a model and test data to a matplotlib figure."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from sklearn.decomposition import PCA
from torch import Tensor, nn

from ...data import Dataset
from ...data.batch import UNLABELED
from ...models import Autoencoder, GenerativeModel
from ..metrics import clouds

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa0a6",
    "axes.labelcolor": "#3c4043",
    "axes.titlesize": 10,
    "axes.titlecolor": "#202124",
    "xtick.color": "#5f6368",
    "ytick.color": "#5f6368",
    "axes.grid": True,
    "grid.color": "#eceff1",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "savefig.dpi": 160,
}
INK, BLUE, ORANGE = "#202124", "#1f6feb", "#e8710a"
POINTS = 2000  # codes in a scatter plot
ACROSS = 4  # curves side by side


@contextmanager
def style() -> Iterator[None]:
    """One look for all figures, and no window."""
    with matplotlib.rc_context(STYLE):
        yield


def subplots(rows: int = 1, columns: int = 1, *, figsize: tuple[float, float], layout: Any = None, **axes: Any) -> Any:
    """A figure with its axes, as pyplot's, but one that no window or notebook shows."""
    figure = Figure(figsize=figsize, layout=layout)
    return figure, figure.subplots(rows, columns, **axes)


def reconstructions(model: Autoencoder, data: Dataset, columns: int) -> Figure:
    """Test examples above what the model makes of them."""
    batch = data.test[: 2 * columns]
    made = model.reconstruct(batch.to(_device(model))).cpu()
    rows = [batch.x[:columns], made[:columns], batch.x[columns:], made[columns:]]
    figure, axes = subplots(4, 1, figsize=(8, 0.3 + 32 / columns), gridspec_kw={"hspace": 0.06})
    for ax, images, label in zip(axes, rows, ["test", "model"] * 2, strict=True):
        _strip(ax, images[None])
        ax.set_ylabel(label, rotation=0, ha="right", va="center", color=INK)
    return figure


def samples(model: GenerativeModel, rows: int, columns: int) -> Figure:
    """Decoded draws from the prior."""
    made = model.sample(rows * columns, generator=_generator(model)).cpu()
    figure, ax = subplots(figsize=(8, 8 * rows / columns))
    _strip(ax, made.unflatten(0, (rows, columns)))
    return figure


def interpolations(model: Autoencoder, data: Dataset, rows: int, columns: int) -> Figure:
    """Straight lines between the codes of two test examples; the examples themselves at both ends."""
    a, b = data.test[:rows], data.test[rows : 2 * rows]
    start, end = (model.training_codes(batch.to(_device(model))) for batch in (a, b))
    steps = torch.linspace(0, 1, columns, device=start.device)[:, None]
    between = torch.stack([model.decode(torch.lerp(p, q, steps)).cpu() for p, q in zip(start, end, strict=True)])
    grid = torch.cat([a.x[:, None], between, b.x[:, None]], dim=1)
    figure, ax = subplots(figsize=(8, 8 * rows / (columns + 2)))
    _strip(ax, grid)
    side = ax.get_xlim()[1] / (columns + 2)
    for x in (side - 1, (columns + 1) * side - 1):
        ax.axvline(x, color=ORANGE, linewidth=2)
    return figure


def latent(model: Autoencoder, data: Dataset) -> Figure:
    """Codes of test examples by class, and a sample of the prior, in the same two coordinates."""
    batch = data.test.spread(POINTS)
    codes = model.training_codes(batch.to(_device(model)))
    prior = model.prior_like(codes, _generator(model)).cpu().numpy()
    view, names = plane(codes.cpu().numpy())
    points, prior = view(codes.cpu().numpy()), view(prior)
    figure, axes = subplots(1, 2, figsize=(8, 3.9), sharex=True, sharey=True, layout="compressed")
    classes = batch.label.unique().tolist()
    for color, label in zip(_colors(len(classes)), classes, strict=True):
        chosen = batch.label.numpy() == label
        named = _class_name(data, label)
        axes[0].scatter(*points[chosen].T, s=7, color=color, alpha=0.75, linewidths=0, label=named)
    axes[1].scatter(*prior.T, s=7, color="#5f6368", alpha=0.5, linewidths=0)
    axes[0].set(title=f"codes of test {data.kind}, by class", ylabel=names[1], aspect="equal")
    axes[1].set(title="a sample of the prior", aspect="equal")
    for ax in axes:
        ax.set_xlabel(names[0])
    key = axes[0].get_legend_handles_labels()
    axes[1].legend(
        *key, loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1, markerscale=2, ncols=-(-len(classes) // 13)
    )
    return figure


def plane(codes: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], Sequence[str]]:
    """How codes (n, d) are shown in the plane, and the names of its axes: as they are for d ≤ 2, else by PCA."""
    if codes.shape[1] <= 2:
        return (lambda z: np.pad(z, ((0, 0), (0, 2 - z.shape[1])))), ("first coordinate", "second coordinate")
    return PCA(2, random_state=0).fit(codes).transform, ("first principal component", "second principal component")


def curves(history: Sequence[dict[str, float]]) -> Figure:
    """Each term of the loss over the epochs, in training and on test examples."""
    terms = [name.removeprefix("train/") for name in history[-1] if name.startswith("train/")]
    columns = min(len(terms), ACROSS)
    rows = -(-len(terms) // columns)
    figure, axes = subplots(rows, columns, figsize=(8, 2.6 * rows), layout="constrained", squeeze=False)
    epochs = [record["epoch"] for record in history]
    several = len({term.split("/")[0] for term in terms}) > 1
    for ax in axes.flat[len(terms) :]:
        ax.set_axis_off()
    for ax, term in zip(axes.flat, terms, strict=False):
        for part, color in (("train", BLUE), ("test", ORANGE)):
            ax.plot(epochs, [record[f"{part}/{term}"] for record in history], color=color, linewidth=1.4, label=part)
        values = [record[f"{part}/{term}"] for record in history for part in ("train", "test")]
        ax.set(title=term.replace("/", "\n") if several else term.split("/")[-1], xlabel="epoch")
        if min(values) > 0:
            ax.set_yscale("log")
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0, 0].legend()
    return figure


def _strip(ax: Axes, images: Tensor) -> None:
    """Images (rows, columns, channels, height, width) or point clouds (rows, columns, points, 3), side by side."""
    ax.grid(False)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    if images.dim() == 4:
        clouds.draw(ax, images)
        return
    gap = max(1, images.shape[-1] // 10)
    paper = 0.0 if images.shape[2] == 1 else 1.0  # gray images are drawn dark on light
    images = nn.functional.pad(images, (0, gap, 0, gap), value=paper)
    rows, columns, channels, height, width = images.shape
    sheet = images.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels).clamp(0, 1)
    ax.imshow(sheet.squeeze(2).cpu().numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")


def _colors(count: int) -> np.ndarray:
    colors = matplotlib.colormaps["tab10"] if count <= 10 else matplotlib.colormaps["turbo"].resampled(count)
    return colors(np.arange(count))


def _class_name(data: Dataset, label: int) -> str:
    if label == UNLABELED:
        return "no class"
    return data.classes[label] if data.classes else str(label)


def _device(model: GenerativeModel) -> torch.device:
    return next(model.parameters()).device


def _generator(model: GenerativeModel) -> torch.Generator:
    return torch.Generator(_device(model)).manual_seed(0)
