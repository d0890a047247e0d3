"""Style shared by all figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

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
INK, BLUE, ORANGE, GRAY, LIGHT_GRAY = "#202124", "#1f6feb", "#e8710a", "#9aa0a6", "#cfd4da"


@contextmanager
def style() -> Iterator[None]:
    """Apply the style within a context."""
    with matplotlib.rc_context(STYLE):
        yield


def subplots(rows: int = 1, columns: int = 1, *, figsize: tuple[float, float], layout: Any = None, **axes: Any) -> Any:
    """Return a figure and its axes like pyplot's function, without registering the figure with pyplot."""
    figure = Figure(figsize=figsize, layout=layout)
    return figure, figure.subplots(rows, columns, **axes)


def class_colors(count: int) -> np.ndarray:
    """Return distinct colors (count, 4)."""
    colors = matplotlib.colormaps["tab10"] if count <= 10 else matplotlib.colormaps["turbo"].resampled(count)
    return colors(np.arange(count))
