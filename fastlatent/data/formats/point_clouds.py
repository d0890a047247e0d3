"""Point clouds from files: ModelNet10, folders of meshes or clouds, and arrays in .npy and .npz files."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zipfile import Path as ZipPath

import numpy as np
from filelock import FileLock
from rich.console import Console
from rich.progress import track

from ...utils.atomic import atomic_write
from ..batch import UNLABELED
from ..dataset import default_epochs, split_rows
from ..files import Folder, check_size, errors_naming_file, find_file, read_whole
from ..point_clouds import PointCloudDataset, cloud_split, unit
from . import meshes
from .folders import list_examples
from .numpy_files import read_npy, read_npz

POINTS, POINTS_SEED = 2048, 0  # drawn on each surface, and at most of each cloud
SHAPES = (*meshes.SUFFIXES, ".npy")  # what files of a folder may be
MODELNET = ("modelnet10_1024_f16.npz", "modelnet10.npz", "ModelNet10", "ModelNet10.zip")


class Arrays(NamedTuple):
    """Point clouds (n, points, 3), their labels (n,), which of them are for training (n,), the classes' names."""

    points: np.ndarray
    label: np.ndarray
    is_train: np.ndarray
    classes: tuple[str, ...]


def modelnet10(data_dir: Path | None = None) -> PointCloudDataset:
    """ModelNet10: 3,991 + 908 pieces of furniture of ten classes, the official split, points sampled on their surfaces.

    Read from modelnet10*.npz: `points` (n, points, 3) of any float type, `label` (n,), `is_train` (n,), `classes`; or
    from the published ModelNet10.zip or what it unpacks to, the folder ModelNet10, for which modelnet10.npz is written
    beside it, because to sample 2,048 points on each surface takes minutes.

    Raises:
        FileNotFoundError: where there is none of these.
        ValueError: if it holds something else.
    """
    path = find_file("modelnet10", data_dir, MODELNET)
    if path.suffix == ".npz":
        arrays = _npz(path, ("points", "label", "is_train", "classes"))
    else:
        with errors_naming_file(path, ".zip file of ModelNet10"):
            folder = ZipPath(path, "ModelNet10/") if path.suffix == ".zip" else path
        arrays = _sampled(folder)
        _keep(path.with_name("modelnet10.npz"), arrays)
    return _clouds("modelnet10", arrays, epochs=20)


def cloud_folder(path: Path) -> PointCloudDataset:
    """Meshes (.off, .ply) or clouds (.ply, .npy) in a folder for each class, as of `list_examples`.

    2,048 points are drawn on each surface, or of each cloud, or fewer if a cloud has fewer.

    Raises:
        ValueError: naming a file that is damaged.
    """
    arrays = _sampled(path)
    return _clouds(path.resolve().name, arrays, epochs=default_epochs(int(arrays.is_train.sum())))


def cloud_array(path: Path) -> PointCloudDataset:
    """Clouds in a .npy file, or in a .npz file's `points`: (n, points, 3) of any float type.

    A .npz file may hold `label` (n,), `classes` and `is_train` (n,) too; else a quarter is for testing, by chance.

    Raises:
        ValueError: if the file holds something else.
    """
    arrays = _npz(path, ("points",)) if path.suffix == ".npz" else _arrays(path, {"points": read_npy(path)})
    with errors_naming_file(path, "file of point clouds"):
        arrays = arrays._replace(points=unit(arrays.points.astype(np.float32)))
    return _clouds(path.stem, arrays, epochs=default_epochs(int(arrays.is_train.sum())))


def read_cloud(file: Folder, random: np.random.Generator) -> np.ndarray:
    """2,048 points of a mesh's surface or of a cloud, or fewer if it has fewer, centerd, within the unit sphere.

    Raises:
        ValueError: naming the file, if it is damaged.
    """
    suffix = Path(file.name).suffix.lower()
    with errors_naming_file(file, "mesh or point cloud"):
        if suffix == ".npy":
            vertices, triangles = read_npy(file), np.empty((0, 3))
            if vertices.ndim != 2 or vertices.shape[1] != 3 or vertices.dtype.kind != "f" or not len(vertices):
                raise ValueError(f"a cloud must be (points, 3) of floats; got {vertices.dtype} {vertices.shape}")
        else:
            vertices, triangles = meshes.read_mesh(read_whole(file, meshes.MAX_MESH_BYTES), suffix)
        if len(triangles):
            return unit(meshes.on_surface(vertices, triangles, POINTS, random))
        return unit(random.permutation(vertices)[:POINTS])


def _sampled(folder: Folder) -> Arrays:
    """Points of each file of a folder, with a bar that shows how far it is."""
    listing = list_examples(folder, SHAPES)
    examples = (*listing.train, *listing.test)
    check_size((len(examples), POINTS, 3), 4)
    random, console = np.random.default_rng(POINTS_SEED), Console(stderr=True)
    watched = track(examples, "reading shapes", console=console, transient=True, disable=not console.is_terminal)
    clouds = [read_cloud(file, random).astype(np.float32) for file, _ in watched]
    points = min(map(len, clouds))
    return Arrays(
        np.stack([unit(cloud[:points]) for cloud in clouds]),
        np.array([label for _, label in examples]),
        np.arange(len(examples)) < len(listing.train),
        listing.classes,
    )


def _npz(path: Path, needed: tuple[str, ...]) -> Arrays:
    return _arrays(path, dict(read_npz(path, needed, [name for name in Arrays._fields if name not in needed])))


def _arrays(path: Path, found: dict[str, np.ndarray]) -> Arrays:
    """What a file holds, and what it may leave out."""
    points = found["points"]
    n = len(points) if points.ndim else 0
    label = found.get("label", np.full(n, UNLABELED))
    if points.ndim != 3 or points.shape[2] != 3 or points.dtype.kind != "f" or label.shape != (n,):
        raise ValueError(f"{path}: points must be (n, points, 3), a label each; got {points.shape} and {label.shape}")
    if "is_train" not in found:
        with errors_naming_file(path, "file of point clouds"):
            found["is_train"] = np.isin(np.arange(n), split_rows(n)[0])
    is_train = found["is_train"].astype(bool)
    if is_train.shape != (n,) or is_train.all() or not is_train.any():
        raise ValueError(f"{path}: is_train must say of each of {n} clouds whether it is for training or for testing")
    return Arrays(points, label, is_train, tuple(map(str, found.get("classes", ()))))


def _keep(path: Path, arrays: Arrays) -> None:
    """Write the file, one of several processes; where nothing can be written, points are drawn again next time."""
    with suppress(OSError), FileLock(path.with_name(".sampling")):
        if not path.exists():
            atomic_write(path, lambda part: _save(part, arrays))


def _save(path: Path, arrays: Arrays) -> None:
    with path.open("wb") as file:
        np.savez(file, **{**arrays._asdict(), "classes": np.array(arrays.classes)})


def _clouds(name: str, arrays: Arrays, epochs: int) -> PointCloudDataset:
    train, test = (cloud_split(arrays.points[part], arrays.label[part]) for part in (arrays.is_train, ~arrays.is_train))
    return PointCloudDataset(name, train, test, epochs, arrays.classes)
