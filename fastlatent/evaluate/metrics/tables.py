"""Numbers and the figure of tables."""

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from torch import Tensor

from ...data import TableColumn
from ...models import Columns, TabularAutoencoder
from ..evaluated_model import EvaluatedModel
from ..report.figures import subplots
from .result import MetricResult

MAX_SHOWN = 40  # columns in the figure
NUMERIC = "Reconstruction error of numeric columns, mean square of standardized values"
CATEGORICAL = "Reconstruction error of categorical columns, share of wrong categories"


def reconstruction(subject: EvaluatedModel) -> list[MetricResult]:
    """Errors of reconstructed rows (n, columns), beside those of PCA with as many dimensions and of the typical row.

    Raises:
        TypeError: if the model is not of tables.
    """
    if not isinstance(subject.model, TabularAutoencoder):
        raise TypeError(f"rows are reconstructed by a TabularAutoencoder; got {type(subject.model).__name__}")
    columns, dim = subject.model.columns, subject.model.prior.dim
    train, test, ours = subject.train.x, subject.test.x, subject.reconstructions
    vectors, flat = columns.vectors(train).cpu().numpy(), columns.vectors(test).cpu().numpy()
    pca = PCA(min(dim, *vectors.shape), random_state=0).fit(vectors)
    linear = columns.rows(torch.from_numpy(pca.inverse_transform(pca.transform(flat))).to(test))
    made = {
        "this model": ours,
        f"PCA with as many dimensions ({dim}), categories one-hot": linear,
        "the mean, the most common category": typical(columns, train).expand_as(test),
    }
    errors = {of: column_errors(columns, test, x) for of, x in made.items()}
    kinds = [(NUMERIC, columns.numeric), (CATEGORICAL, columns.categorical)]
    return [
        MetricResult(group, of, float(error[chosen].mean()), ours=made[of] is ours)
        for group, chosen in kinds
        if chosen
        for of, error in errors.items()
    ]


def column_errors(columns: Columns, x: Tensor, reconstruction: Tensor) -> Tensor:
    """For each column (columns,): mean squared error of a numeric one, share of mistakes of a categorical one."""
    squares = (x - reconstruction).square()
    wrong = (x != reconstruction).to(x.dtype)
    categorical = torch.tensor(columns.categories, device=x.device) > 0
    return torch.where(categorical, wrong, squares).mean(0)


def typical(columns: Columns, train: Tensor) -> Tensor:
    """The row (1, columns) of each column's mean or most common category."""
    return columns.rows(columns.vectors(train).mean(0, keepdim=True))


def errors_by_column(
    columns: Columns, described: tuple[TableColumn, ...], train: Tensor, test: Tensor, ours: Tensor
) -> Figure:
    """The model's error in each column, beside that of the mean or the most common category.

    Of more than 40 columns 40 are shown, at equal steps from the one of the smallest error to that of the largest.
    """
    model = column_errors(columns, test, ours).cpu().numpy()
    constant = column_errors(columns, test, typical(columns, train).expand_as(test)).cpu().numpy()
    shown = np.arange(len(model))
    if len(shown) > MAX_SHOWN:
        shown = model.argsort()[np.linspace(0, len(model) - 1, MAX_SHOWN).astype(int)]
    names = [described[i].name + (" (category)" if described[i].categories else "") for i in shown]
    model, constant = model[shown], constant[shown]
    of = f", {len(shown)} of {len(described)} columns" if len(shown) < len(described) else ""
    figure, ax = subplots(figsize=(8, 0.8 + 0.24 * len(names)), layout="constrained")
    place = np.arange(len(names))
    ax.hlines(place, model, constant, color="#cfd4da", linewidth=2)
    ax.scatter(constant, place, s=28, color="#9aa0a6", label="the mean or the most common category", zorder=2)
    ax.scatter(model, place, s=28, color="#1f6feb", label="this model", zorder=3)
    ax.set(yticks=place, yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlabel=f"error on test rows{of}")
    ax.set_xlim(left=0)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure
