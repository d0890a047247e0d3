"""What AnnData's files hold, read by h5py: matrices and columns in the layout of today and of before 2020."""

from typing import Any

import h5py
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from .files import check_size

SPARSE = {"csr_matrix": csr_matrix, "csc_matrix": csc_matrix, "csr": csr_matrix, "csc": csc_matrix}


def matrix(file: h5py.File, place: str) -> np.ndarray:
    """The dense matrix (cells, genes) at this place, if it is small enough."""
    found = _own(file, place)
    if isinstance(found, h5py.Dataset):
        return _values(found)
    kind = _string(found.attrs.get("encoding-type", found.attrs.get("h5sparse_format")))
    if kind not in SPARSE:
        raise ValueError(f"{place} must be a dense, csr or csc matrix; got {kind}")
    shape = tuple(map(int, found.attrs.get("shape", found.attrs.get("h5sparse_shape", ()))))
    check_size(shape, 4)
    parts = tuple(_values(_own(found, part)) for part in ("data", "indices", "indptr"))
    made = SPARSE[kind](parts, shape=shape)
    made.check_format(full_check=True)  # indices outside the matrix would be written outside the memory
    return made.toarray()


def names_of(file: h5py.File, table: str) -> tuple[str, ...]:
    """The names of a table's columns."""
    found = _own(file, table)
    return tuple(found.dtype.names if isinstance(found, h5py.Dataset) else found)


def index(file: h5py.File, table: str) -> list[str]:
    """The names of a table's rows."""
    found = _own(file, table)
    if isinstance(found, h5py.Dataset):  # before 2020: one array of rows, its first column their names
        return _strings(_values(found)[found.dtype.names[0]])
    return _strings(_values(_own(found, _string(found.attrs["_index"]))))


def words(file: h5py.File, column: str) -> list[str]:
    """A column of `obs` as strings; "" where a category is missing."""
    obs = _own(file, "obs")
    if isinstance(obs, h5py.Dataset):  # before 2020: one array of rows, categories elsewhere
        codes, place = _values(obs)[column], f"uns/{column}_categories"
        return _categories(codes, _values(_own(file, place))) if place in file else _strings(codes)
    found = _own(obs, column)
    if isinstance(found, h5py.Group):
        return _categories(_values(_own(found, "codes")), _values(_own(found, "categories")))
    categories = found.attrs.get("categories")  # of 2020: a reference to them
    return _strings(_values(found)) if categories is None else _categories(_values(found), _values(file[categories]))


def _own(group: h5py.Group, place: str) -> Any:
    """What is at this place, if it is within the file."""
    at = group
    for name in place.split("/"):
        if not isinstance(at.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{place} is not there, or is a link")
        at = at[name]
    return at


def _values(found: h5py.Dataset) -> np.ndarray:
    """All values of a dataset, if it is small enough and its values are in the file."""
    if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
        raise ValueError(f"{getattr(found, 'name', found)} must be values within the file")
    check_size(found.shape, found.dtype.itemsize)
    return found[()]


def _categories(codes: np.ndarray, categories: np.ndarray) -> list[str]:
    named = [*_strings(categories), ""]  # −1 stands for a missing one
    if not ((codes >= -1) & (codes < len(categories))).all():
        raise ValueError(f"codes of categories must be from -1 to {len(categories) - 1}")
    return [named[code] for code in codes]


def _strings(values: np.ndarray) -> list[str]:
    return [_string(value) for value in values]


def _string(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
