"""Figure of the reconstruction error of each column of a table."""

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from ...data import TableColumn
from .style import BLUE, GRAY, LIGHT_GRAY, subplots

MAX_COLUMNS = 40


def errors_by_column(columns: tuple[TableColumn, ...], model_errors: Tensor, typical_row_errors: Tensor) -> Figure:
    """Draw the errors of the model and of the typical row in each column.

    Of more than 40 columns 40 are drawn, evenly spaced in the order of the model's error.

    Args:
        columns: columns of the table.
        model_errors: errors of the model, (columns,).
        typical_row_errors: errors of the column means or most common categories, (columns,).
    """
    model, baseline = model_errors.cpu().numpy(), typical_row_errors.cpu().numpy()
    indices = np.arange(len(model))
    if len(indices) > MAX_COLUMNS:
        indices = model.argsort()[np.linspace(0, len(model) - 1, MAX_COLUMNS).astype(int)]
    names = [columns[i].name + (" (category)" if columns[i].categories else "") for i in indices]
    model, baseline = model[indices], baseline[indices]
    subset = f", {len(indices)} of {len(columns)} columns" if len(indices) < len(columns) else ""
    figure, ax = subplots(figsize=(8, 0.8 + 0.24 * len(names)), layout="constrained")
    y = np.arange(len(names))
    ax.hlines(y, model, baseline, color=LIGHT_GRAY, linewidth=2)
    ax.scatter(baseline, y, s=28, color=GRAY, label="mean or most common category", zorder=2)
    ax.scatter(model, y, s=28, color=BLUE, label="this model", zorder=3)
    ax.set(yticks=y, yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlabel=f"error on test rows{subset}")
    ax.set_xlim(left=0)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure
