"""NumPy's files .npy and .npz, whose headers are checked before anything is allocated."""

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..files import Folder, errors_naming_file, read_whole

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(path: Folder) -> np.ndarray:
    """The array of a .npy file.

    Raises:
        ValueError: if the file is not such a file, shorter than its header says, of objects or too large.
    """
    with errors_naming_file(path, ".npy file"):
        return _array(read_whole(path))


def npz_fields(path: Path) -> tuple[str, ...]:
    """The names of the arrays in a .npz file.

    Raises:
        ValueError: if the file is not such a file.
    """
    with errors_naming_file(path, ".npz file"), zipfile.ZipFile(path) as archive:
        return tuple(name.removesuffix(".npy") for name in archive.namelist())


def read_npz(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> Mapping[str, np.ndarray]:
    """Arrays of a .npz file; what else it holds is not looked at.

    Args:
        path: of the file.
        needed: names of arrays that it must hold.
        optional: names of arrays that are read if they are there.

    Raises:
        ValueError: if one is missing, or as of `read_npy`.
    """
    fields = npz_fields(path)
    missing = [name for name in needed if name not in fields]
    if missing:
        raise ValueError(f"{path}: must hold {_listed(needed)}; lacks {', '.join(missing)}")
    with errors_naming_file(path, ".npz file"), zipfile.ZipFile(path) as archive:
        return {name: _member(archive, name) for name in (*needed, *optional) if name in fields}


def _member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array of the archive; to read it whole checks its CRC."""
    return _array(read_whole(zipfile.Path(archive, f"{name}.npy")))


def _array(data: bytearray) -> np.ndarray:
    start = io.BytesIO(data[:16384])  # a header has 10,000 characters at most
    version = np.lib.format.read_magic(start)
    if version not in HEADERS:
        raise ValueError(f"version of the format must be 1.0 or 2.0; got {version[0]}.{version[1]}")
    shape, fortran, dtype = HEADERS[version](start)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not read, for they can run code")
    values = len(data) - start.tell()
    if math.prod(shape) * dtype.itemsize != values or min(shape, default=0) < 0:
        raise ValueError(f"shape {shape} of {dtype} does not fit {values} bytes of values")
    return np.frombuffer(data, dtype, math.prod(shape), start.tell()).reshape(shape, order="F" if fortran else "C")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
