"""Point clouds from folders of meshes or clouds, and from arrays in .npy and .npz files."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from ..batch import UNLABELED
from ..dataset import default_epochs, split_rows
from ..files import AnyPath, check_size, errors_naming_file, read_bounded
from ..point_clouds import PointCloudDataset, point_cloud_split, to_unit_sphere
from . import meshes
from .folders import list_examples
from .numpy_files import read_npy, read_npz

POINTS, SEED = 2048, 0  # sampled on each mesh; maximum taken of each cloud
SUFFIXES = (*meshes.SUFFIXES, ".npy")


class PointCloudArrays(NamedTuple):
    """Point clouds (n, points, 3), labels (n,), training mask (n,), and names of the classes."""

    points: np.ndarray
    label: np.ndarray
    is_train: np.ndarray
    classes: tuple[str, ...]


def point_cloud_folder(path: Path) -> PointCloudDataset:
    """Load meshes (.off, .ply) or clouds (.ply, .npy) from a folder for each class (see `list_examples`).

    2,048 points are sampled on each mesh or taken of each cloud, or fewer if a cloud has fewer.

    Raises:
        ValueError: naming a damaged file.
    """
    arrays = sample_folder(path)
    return build_dataset(path.resolve().name, arrays, epochs=default_epochs(int(arrays.is_train.sum())))


def point_cloud_array(path: Path) -> PointCloudDataset:
    """Load clouds from a .npy file, or from `points` in a .npz file: (n, points, 3) of any float type.

    A .npz file may also have `label` (n,), `classes` and `is_train` (n,); without the latter, a random quarter is for
    testing.

    Raises:
        ValueError: if the file has other contents.
    """
    if path.suffix == ".npz":
        arrays = read_npz_arrays(path, ("points",))
    else:
        arrays = _check_arrays(path, {"points": read_npy(path)})
    with errors_naming_file(path, "file of point clouds"):
        arrays = arrays._replace(points=to_unit_sphere(arrays.points.astype(np.float32)))
    return build_dataset(path.stem, arrays, epochs=default_epochs(int(arrays.is_train.sum())))


def sample_folder(folder: AnyPath) -> PointCloudArrays:
    """Read a cloud from each file of a folder (see `list_examples`), with a progress bar.

    Raises:
        ValueError: naming a damaged file.
    """
    listing = list_examples(folder, SUFFIXES)
    examples = (*listing.train, *listing.test)
    check_size((len(examples), POINTS, 3), 4)
    random, console = np.random.default_rng(SEED), Console(stderr=True)
    progress = track(examples, "reading shapes", console=console, transient=True, disable=not console.is_terminal)
    clouds = [_read_cloud(file, random).astype(np.float32) for file, _ in progress]
    points = min(map(len, clouds))
    return PointCloudArrays(
        np.stack([to_unit_sphere(cloud[:points]) for cloud in clouds]),
        np.array([label for _, label in examples]),
        np.arange(len(examples)) < len(listing.train),
        listing.classes,
    )


def read_npz_arrays(path: Path, required: tuple[str, ...]) -> PointCloudArrays:
    """Read the fields of `PointCloudArrays` from a .npz file.

    Args:
        path: path of the file.
        required: fields that must be in the file; the other ones have defaults.

    Raises:
        ValueError: if a required field is missing, or a field has another shape or type.
    """
    optional = [name for name in PointCloudArrays._fields if name not in required]
    return _check_arrays(path, dict(read_npz(path, required, optional)))


def build_dataset(name: str, arrays: PointCloudArrays, epochs: int) -> PointCloudDataset:
    """Build a data set from arrays.

    Args:
        name: see `PointCloudDataset`.
        arrays: clouds in the unit sphere, labels, split and classes.
        epochs: see `PointCloudDataset`.
    """
    train, test = (
        point_cloud_split(arrays.points[mask], arrays.label[mask]) for mask in (arrays.is_train, ~arrays.is_train)
    )
    return PointCloudDataset(name, train, test, epochs, arrays.classes)


def _read_cloud(file: AnyPath, random: np.random.Generator) -> np.ndarray:
    """Sample at most 2,048 points of a mesh's surface or of a cloud, scaled to the unit sphere."""
    suffix = Path(file.name).suffix.lower()
    with errors_naming_file(file, "mesh or point cloud"):
        if suffix == ".npy":
            vertices, triangles = read_npy(file), np.empty((0, 3))
            if vertices.ndim != 2 or vertices.shape[1] != 3 or vertices.dtype.kind != "f" or not len(vertices):
                raise ValueError(f"a cloud must be (points, 3) of floats; got {vertices.dtype} {vertices.shape}")
        else:
            vertices, triangles = meshes.read_mesh(read_bounded(file, meshes.MAX_MESH_BYTES), suffix)
        if len(triangles):
            return to_unit_sphere(meshes.sample_surface(vertices, triangles, POINTS, random))
        return to_unit_sphere(random.permutation(vertices)[:POINTS])


def _check_arrays(path: Path, fields: dict[str, np.ndarray]) -> PointCloudArrays:
    """Require matching shapes, and fill in defaults of optional fields."""
    points = fields["points"]
    n = len(points) if points.ndim else 0
    label = fields.get("label", np.full(n, UNLABELED))
    if points.ndim != 3 or points.shape[2] != 3 or points.dtype.kind != "f" or label.shape != (n,):
        raise ValueError(f"{path}: points must be (n, points, 3) and label (n,); got {points.shape} and {label.shape}")
    if "is_train" not in fields:
        with errors_naming_file(path, "file of point clouds"):
            fields["is_train"] = np.isin(np.arange(n), split_rows(n)[0])
    is_train = fields["is_train"].astype(bool)
    if is_train.shape != (n,) or is_train.all() or not is_train.any():
        raise ValueError(f"{path}: is_train must be a mask of {n} clouds with training and test clouds")
    return PointCloudArrays(points, label, is_train, tuple(map(str, fields.get("classes", ()))))
