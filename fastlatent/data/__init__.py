"""Data sets: `load(name)` gives a `Data` with an honest train and test split."""

from collections.abc import Callable
from pathlib import Path

from ..losses import checks
from . import images
from .dataset import Data as Data
from .dataset import Split as Split
from .idx import read_idx as read_idx

LOADERS: dict[str, Callable[[Path | None], Data]] = {
    "digits": images.digits,
    "mnist": images.mnist,
    "fashion-mnist": images.fashion_mnist,
}


def load(name: str, data_dir: Path | None = None) -> Data:
    """Load a data set by name.

    Args:
        name: "digits" (needs no file), "mnist" or "fashion-mnist".
        data_dir: folder with the files, themselves in it or in a subfolder of the data set's name; None: the
            environment's FASTLATENT_DATA, else ~/.cache/fastlatent.

    Raises:
        ValueError: for another name, or a damaged file.
        FileNotFoundError: naming the file that is missing and where it was looked for.
    """
    return LOADERS[checks.choice("data", name, tuple(LOADERS))](data_dir)
