"""Data sets: `load(name)` gives a `Data` with an honest train and test split."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ..losses import checks
from . import clouds, images, lines, tables
from .clouds import Clouds as Clouds
from .dataset import Data as Data
from .dataset import Split as Split
from .idx import read_idx as read_idx
from .tables import Column as Column
from .tables import Table as Table

DataName = Literal[
    "digits", "mnist", "fashion-mnist", "lines", "shapes", "modelnet10", "wine", "breast-cancer", "diabetes", "letter"
]

LOADERS: dict[str, Callable[[Path | None], Data]] = {
    "digits": images.digits,
    "mnist": images.mnist,
    "fashion-mnist": images.fashion_mnist,
    "lines": lines.lines,
    "shapes": clouds.shapes,
    "modelnet10": clouds.modelnet10,
    "wine": tables.wine,
    "breast-cancer": tables.breast_cancer,
    "diabetes": tables.diabetes,
    "letter": tables.letter,
}
WITHOUT_FILES: dict[str, DataName] = {"images": "digits", "point clouds": "shapes", "rows": "wine"}


def load(name: str, data_dir: Path | None = None) -> Data:
    """Load a data set by name.

    Args:
        name: images "digits", "mnist", "fashion-mnist" or "lines"; point clouds "shapes" or "modelnet10"; tables
            "wine", "breast-cancer", "diabetes" or "letter". mnist, fashion-mnist, modelnet10 and letter need files.
        data_dir: folder with the files, themselves in it or in a subfolder of the data set's name ("tabular" for
            letter); None: the environment's FASTLATENT_DATA, else ~/.cache/fastlatent.

    Raises:
        ValueError: for another name, or a damaged file.
        FileNotFoundError: naming the file that is missing and where it was looked for.
    """
    return LOADERS[checks.choice("data", name, tuple(LOADERS))](data_dir)
