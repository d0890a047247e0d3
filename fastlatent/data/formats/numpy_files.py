"""NumPy's .npy and .npz files; headers are validated before memory is allocated."""

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..files import AnyPath, errors_naming_file, read_bounded

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(path: AnyPath) -> np.ndarray:
    """Read the array of a .npy file.

    Args:
        path: path of the file.

    Raises:
        ValueError: if the file has another format, is truncated, has Python objects, or exceeds the memory limit.
    """
    with errors_naming_file(path, ".npy file"):
        return _parse(read_bounded(path))


def npz_fields(path: Path) -> tuple[str, ...]:
    """Return the names of the arrays in a .npz file.

    Raises:
        ValueError: if the file has another format.
    """
    with errors_naming_file(path, ".npz file"), zipfile.ZipFile(path) as archive:
        return tuple(name.removesuffix(".npy") for name in archive.namelist())


def read_npz(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Mapping[str, np.ndarray]:
    """Read arrays of a .npz file; other arrays are ignored.

    Args:
        path: path of the file.
        required: names of arrays that must be in the file.
        optional: names of arrays that may be missing.

    Raises:
        ValueError: if a required array is missing, or for the reasons of `read_npy`.
    """
    fields = npz_fields(path)
    missing = [name for name in required if name not in fields]
    if missing:
        raise ValueError(f"{path}: must have {_join(required)}; lacks {', '.join(missing)}")
    with errors_naming_file(path, ".npz file"), zipfile.ZipFile(path) as archive:
        return {name: _read_member(archive, name) for name in (*required, *optional) if name in fields}


def _read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read an array of the archive up to its end, which verifies its CRC."""
    return _parse(read_bounded(zipfile.Path(archive, f"{name}.npy")))


def _parse(data: bytearray) -> np.ndarray:
    header = io.BytesIO(data[:16384])  # a header has at most 10,000 characters
    version = np.lib.format.read_magic(header)
    if version not in HEADERS:
        raise ValueError(f"version of the format must be 1.0 or 2.0; got {version[0]}.{version[1]}")
    shape, fortran, dtype = HEADERS[version](header)
    if dtype.hasobject:
        raise ValueError("it has Python objects, which are refused because they can run code")
    values = len(data) - header.tell()
    if math.prod(shape) * dtype.itemsize != values or min(shape, default=0) < 0:
        raise ValueError(f"shape {shape} of {dtype} does not fit {values} bytes of values")
    return np.frombuffer(data, dtype, math.prod(shape), header.tell()).reshape(shape, order="F" if fortran else "C")


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
