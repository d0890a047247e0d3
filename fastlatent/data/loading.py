"""Loaders of data sets by name, and of the user's own files and folders by their path."""

from collections.abc import Callable
from pathlib import Path

from .dataset import Dataset
from .datasets.cifar10 import cifar10
from .datasets.digits import digits
from .datasets.letter import letter
from .datasets.lines import lines
from .datasets.mnist import fashion_mnist, mnist
from .datasets.modelnet10 import modelnet10
from .datasets.pbmc68k import pbmc68k
from .datasets.shapes import shapes
from .datasets.sklearn_tables import breast_cancer, diabetes, wine
from .datasets.svhn import svhn
from .download import fetch
from .formats.counts import COUNT_FIELDS, counts_npz, h5ad
from .formats.csv_files import csv_table
from .formats.images import image_folder, images_npz
from .formats.numpy_files import npz_fields
from .formats.point_clouds import SUFFIXES, point_cloud_array, point_cloud_folder
from .registry import PUBLICATIONS

LOADERS: dict[str, Callable[[Path | None], Dataset]] = {
    "digits": digits,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "svhn": svhn,
    "cifar10": cifar10,
    "lines": lines,
    "shapes": shapes,
    "modelnet10": modelnet10,
    "wine": wine,
    "breast-cancer": breast_cancer,
    "diabetes": diabetes,
    "letter": letter,
    "pbmc68k": pbmc68k,
}
BUILTIN_DATASET = {"images": "digits", "point clouds": "shapes", "rows": "wine"}  # default of each kind, without files
TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".dat")
LABELED_SUFFIXES = (*TEXT_SUFFIXES, ".h5ad")  # formats with an option for the column of labels


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
            wine, breast-cancer and diabetes need no files. Or a path: of a folder of images, meshes or point clouds;
            of a text file with a table; of a .h5ad, .npz or .npy file.
        data_dir: folder with the files of named data sets, directly or in a subfolder of the data set's name
            ("tabular" for letter, "pbmc68k_reduced" for pbmc68k); None: the environment variable FASTLATENT_DATA, or
            if unset ~/.cache/fastlatent.
        download: download missing files of a named data set.
        image_size: height and width of images in pixels, by `center_crop_resize`; None: unchanged.
        label: column of classes of a text or .h5ad file; None: a column of a usual name, if there is one.

    Returns:
        The data set: a `PointCloudDataset` or `TableDataset` if `data` is not of images.

    Raises:
        ValueError: for another name, a damaged file, or an option that does not apply to the data.
        FileNotFoundError: if a file is missing; the message names it, the folders searched and the publisher.
        OSError: if a file cannot be downloaded.
        ImportError: if the library for a file format is not installed.
    """
    is_name = data in LOADERS
    path = Path(data).expanduser()
    if not is_name and not path.exists():
        allowed = ", ".join(map(repr, LOADERS))
        raise ValueError(f"data must be one of {allowed}, or the path of a file or folder; got {str(data)!r}")
    if label is not None and (is_name or path.suffix.lower() not in LABELED_SUFFIXES):
        raise ValueError(f"label is an option of files {', '.join(LABELED_SUFFIXES)}; got {data}")
    if is_name:
        return _resized(_load_named(str(data), data_dir, download), image_size)
    if path.is_dir() and not any(file.suffix.lower() in SUFFIXES for file in path.rglob("*")):
        return image_folder(path, image_size)
    return _resized(point_cloud_folder(path) if path.is_dir() else _load_file(path, label), image_size)


def _resized(data: Dataset, image_size: int | None) -> Dataset:
    return data if image_size is None else data.resized(image_size)


def _load_named(name: str, data_dir: Path | None, download: bool) -> Dataset:
    try:
        return LOADERS[name](data_dir)
    except FileNotFoundError:
        if not download or not PUBLICATIONS[name].files:
            raise
    fetch(name, data_dir)
    return LOADERS[name](data_dir)


def _load_file(path: Path, label: str | None) -> Dataset:
    match path.suffix.lower():
        case ".h5ad":
            return h5ad(path, label)
        case ".npy":
            return point_cloud_array(path)
        case ".npz":
            return _load_npz(path)
        case suffix if suffix in TEXT_SUFFIXES:
            return csv_table(path, label)
    suffixes = ", ".join((*LABELED_SUFFIXES, ".npy", ".npz"))
    raise ValueError(f"data must be a folder or a file {suffixes}; got {path}")


def _load_npz(path: Path) -> Dataset:
    fields = npz_fields(path)
    if "x_train" in fields:
        return images_npz(path, path.stem)
    if "points" in fields:
        return point_cloud_array(path)
    if set(COUNT_FIELDS) & set(fields):
        return counts_npz(path, path.stem)
    expected = "x_train and x_test (images), points (point clouds), or counts or lognorm (cells)"
    raise ValueError(f"{path}: must have {expected}; has {', '.join(fields) or 'no array'}")
