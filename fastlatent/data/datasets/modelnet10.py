"""ModelNet10: point clouds sampled on meshes of furniture."""

from contextlib import suppress
from pathlib import Path
from zipfile import Path as ZipPath

import numpy as np
from filelock import FileLock

from ...utils.atomic import atomic_write
from ..files import errors_naming_file, find_file
from ..formats.point_clouds import PointCloudArrays, build_dataset, read_npz_arrays, sample_folder
from ..point_clouds import PointCloudDataset

FILES = ("modelnet10_1024_f16.npz", "modelnet10.npz", "ModelNet10", "ModelNet10.zip")


def modelnet10(data_dir: Path | None = None) -> PointCloudDataset:
    """Load ModelNet10: 3,991 + 908 pieces of furniture of ten classes, points sampled on their surfaces.

    The split is the official one. Read from modelnet10*.npz: `points` (n, points, 3) of any float type, `label` (n,),
    `is_train` (n,), `classes`; or from the published ModelNet10.zip, or its unpacked folder ModelNet10. Sampling 2,048
    points on each surface takes minutes, so the result is saved as modelnet10.npz in the same folder.

    Raises:
        FileNotFoundError: if none of these exists.
        ValueError: if the file has other contents.
    """
    path = find_file("modelnet10", data_dir, FILES)
    if path.suffix == ".npz":
        arrays = read_npz_arrays(path, ("points", "label", "is_train", "classes"))
    else:
        with errors_naming_file(path, ".zip file of ModelNet10"):
            folder = ZipPath(path, "ModelNet10/") if path.suffix == ".zip" else path
        arrays = sample_folder(folder)
        _save(path.with_name("modelnet10.npz"), arrays)
    return build_dataset("modelnet10", arrays, epochs=20)


def _save(path: Path, arrays: PointCloudArrays) -> None:
    """Save the arrays, by one of several processes; in a read-only folder, sample again next time."""
    with suppress(OSError), FileLock(path.with_name(".sampling")):
        if not path.exists():
            atomic_write(path, lambda temporary: _write_npz(temporary, arrays))


def _write_npz(path: Path, arrays: PointCloudArrays) -> None:
    with path.open("wb") as file:
        np.savez(file, **{**arrays._asdict(), "classes": np.array(arrays.classes)})
