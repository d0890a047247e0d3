"""Which loader reads what: data sets by name, and the user's own files and folders by their path."""

from collections.abc import Callable
from pathlib import Path

from . import point_clouds, tables
from .dataset import Dataset
from .datasets import images, lines
from .datasets.cifar10 import cifar10
from .datasets.svhn import svhn
from .download import fetch
from .formats.counts import COUNTS, counts_npz, h5ad, pbmc68k
from .formats.csv_files import csv_table
from .formats.images import image_folder, images_npz
from .formats.numpy_files import npz_fields
from .formats.point_clouds import SHAPES, cloud_array, cloud_folder, modelnet10
from .registry import PUBLICATIONS

LOADERS: dict[str, Callable[[Path | None], Dataset]] = {
    "digits": images.digits,
    "mnist": images.mnist,
    "fashion-mnist": images.fashion_mnist,
    "svhn": svhn,
    "cifar10": cifar10,
    "lines": lines.lines,
    "shapes": point_clouds.shapes,
    "modelnet10": modelnet10,
    "wine": tables.wine,
    "breast-cancer": tables.breast_cancer,
    "diabetes": tables.diabetes,
    "letter": tables.letter,
    "pbmc68k": pbmc68k,
}
BUILTIN_DATASET = {"images": "digits", "point clouds": "shapes", "rows": "wine"}
TEXT = (".csv", ".tsv", ".txt", ".data", ".dat")
LABELED = (*TEXT, ".h5ad")  # whose column of labels can be chosen


def load(
    data: str | Path,
    data_dir: Path | None = None,
    *,
    download: bool = False,
    image_size: int | None = None,
    label: str | None = None,
) -> Dataset:
    """Load a data set by name, or a file or folder by its path.

    Args:
        data: images "digits", "mnist", "fashion-mnist", "svhn", "cifar10" or "lines"; point clouds "shapes" or
            "modelnet10"; tables "wine", "breast-cancer", "diabetes", "letter" or "pbmc68k"; digits, lines, shapes,
            wine, breast-cancer and diabetes need no files. Or a path: of a folder of pictures, meshes or clouds; of a
            text file with a table; of a .h5ad, .npz or .npy file.
        data_dir: folder with the files of named data sets, themselves in it or in a subfolder of the data set's name
            ("tabular" for letter, "pbmc68k_reduced" for pbmc68k); None: the environment's FASTLATENT_DATA, else
            ~/.cache/fastlatent.
        download: fetch the files of a named data set where they are missing.
        image_size: sides of images in pixels; None: as they are.
        label: of a text or .h5ad file, the name of the column of classes; None: one of a usual name, if there is one.

    Raises:
        ValueError: for another name, a damaged file, or an option that does not fit the data.
        FileNotFoundError: naming the file that is missing, where it was looked for, and where it comes from.
        OSError: if a file is not to be fetched.
        ImportError: naming the library that a file's format needs, where it is not installed.
    """
    named = data in LOADERS
    path = Path(data).expanduser()
    if not named and not path.exists():
        allowed = ", ".join(map(repr, LOADERS))
        raise ValueError(f"data must be one of {allowed}, or the path of a file or folder; got {str(data)!r}")
    if label is not None and (named or path.suffix.lower() not in LABELED):
        raise ValueError(f"label is an option of files {', '.join(LABELED)}; got {data}")
    if named:
        found = _named(str(data), data_dir, download)
        return found if image_size is None else found.resized(image_size)
    return _own(path, image_size, label)


def _named(name: str, data_dir: Path | None, download: bool) -> Dataset:
    try:
        return LOADERS[name](data_dir)
    except FileNotFoundError:
        if not download or not PUBLICATIONS[name].files:
            raise
    fetch(name, data_dir)
    return LOADERS[name](data_dir)


def _own(path: Path, image_size: int | None, label: str | None) -> Dataset:
    """The user's own file or folder, by what it is."""
    if path.is_dir() and not any(file.suffix.lower() in SHAPES for file in path.rglob("*")):
        return image_folder(path, image_size)
    found = cloud_folder(path) if path.is_dir() else _file(path, label)
    return found if image_size is None else found.resized(image_size)


def _file(path: Path, label: str | None) -> Dataset:
    match path.suffix.lower():
        case ".h5ad":
            return h5ad(path, label)
        case ".npy":
            return cloud_array(path)
        case ".npz":
            return _npz(path)
        case suffix if suffix in TEXT:
            return csv_table(path, label)
    kinds = ", ".join((*LABELED, ".npy", ".npz"))
    raise ValueError(f"data must be a folder or a file {kinds}; got {path}")


def _npz(path: Path) -> Dataset:
    fields = npz_fields(path)
    if "x_train" in fields:
        return images_npz(path, path.stem)
    if "points" in fields:
        return cloud_array(path)
    if set(COUNTS) & set(fields):
        return counts_npz(path, path.stem)
    wanted = "x_train and x_test (images), points (point clouds), or counts or lognorm (cells)"
    raise ValueError(f"{path}: must hold {wanted}; has {', '.join(fields) or 'nothing'}")
