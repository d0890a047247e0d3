"""Reader of AnnData files as a separate program: python anndata.py FILE FOLDER LIMIT [LABEL].

The HDF5 library has undefined behavior on damaged files, infinite loops included, so it runs in a subprocess, which
`counts.h5ad` can stop. The program writes x.npy and rest.json to FOLDER; an error is a line on stderr. LIMIT is the
maximum number of bytes of an array. Layouts before and after 2020 are supported.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

MATRICES = {"layers/counts": "var", "raw/X": "raw/var", "raw.X": "raw.var", "X": "var"}  # and the tables of their genes
LABELS = ("label", "cell_type", "celltype", "bulk_labels")  # default names of the column of classes
SPARSE = {"csr_matrix": csr_matrix, "csc_matrix": csc_matrix, "csr": csr_matrix, "csc": csc_matrix}


class Reader:
    """Reader of an open file that refuses arrays over a size limit or outside the file.

    Args:
        file: HDF5 file.
        limit: maximum number of bytes of an array.
    """

    def __init__(self, file: h5py.File, limit: int) -> None:
        self.file, self.limit = file, limit

    def read(self, label: str | None) -> tuple[np.ndarray, dict[str, Any]]:
        """Return the matrix (cells, genes), and a mapping with the `genes`' names and the cells' `labels`.

        Args:
            label: column of `obs` with the labels; None: one of `LABELS`. Without such a column `labels` is None.
        """
        location = next((location for location in MATRICES if location in self.file), None)
        if location is None:
            raise ValueError(f"it must have one of {', '.join(MATRICES)}")
        columns = self.columns("obs")
        column = label or next((name for name in LABELS if name in columns), None)
        if column is not None and column not in columns:
            raise ValueError(f"label must be one of {', '.join(columns)}; got {column}")
        labels = None if column is None else self.strings(column)
        return self.matrix(location), {"genes": self.index(MATRICES[location]), "labels": labels}

    def matrix(self, location: str) -> np.ndarray:
        """Return the matrix at a location as a dense array."""
        item = self.get(self.file, location)
        if isinstance(item, h5py.Dataset):
            return self.values(item)
        kind = _decode(item.attrs.get("encoding-type", item.attrs.get("h5sparse_format")))
        if kind not in SPARSE:
            raise ValueError(f"{location} must be a dense, csr or csc matrix; got {kind}")
        shape = tuple(map(int, item.attrs.get("shape", item.attrs.get("h5sparse_shape", ()))))
        self.check(shape, 4)
        parts = tuple(self.values(self.get(item, part)) for part in ("data", "indices", "indptr"))
        matrix = SPARSE[kind](parts, shape=shape)
        matrix.check_format(full_check=True)  # toarray would write out of bounds at an index out of range
        return matrix.toarray()

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's columns."""
        item = self.get(self.file, table)
        return tuple(item.dtype.names if isinstance(item, h5py.Dataset) else item)

    def index(self, table: str) -> list[str]:
        """Return the names of a table's rows."""
        item = self.get(self.file, table)
        if isinstance(item, h5py.Dataset):  # before 2020: a structured array, the first field has the names
            return _decode_all(self.values(item)[item.dtype.names[0]])
        return _decode_all(self.values(self.get(item, _decode(item.attrs["_index"]))))

    def strings(self, column: str) -> list[str]:
        """Return a column of `obs` as strings, "" for a missing category."""
        obs = self.get(self.file, "obs")
        if isinstance(obs, h5py.Dataset):  # before 2020: categories are in `uns`
            codes, location = self.values(obs)[column], f"uns/{column}_categories"
            if location not in self.file:
                return _decode_all(codes)
            return _take_categories(codes, self.values(self.get(self.file, location)))
        item = self.get(obs, column)
        if isinstance(item, h5py.Group):
            return _take_categories(self.values(self.get(item, "codes")), self.values(self.get(item, "categories")))
        reference = item.attrs.get("categories")  # layout of 2020
        if reference is None:
            return _decode_all(self.values(item))
        return _take_categories(self.values(item), self.values(self.file[reference]))

    def get(self, group: h5py.Group, location: str) -> Any:
        """Return the item at a location; links are refused, because they can leave the file."""
        item = group
        for name in location.split("/"):
            if not isinstance(item.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{location} is missing, or is a link")
            item = item[name]
        return item

    def values(self, item: h5py.Dataset) -> np.ndarray:
        """Return all values of a dataset stored in the file itself."""
        if not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
            raise ValueError(f"{getattr(item, 'name', item)} must be values stored in the file")
        self.check(item.shape, item.dtype.itemsize)
        return item[()]

    def check(self, shape: tuple[int, ...], itemsize: int) -> None:
        """Require an array within the size limit."""
        if math.prod(shape) * itemsize > self.limit:
            raise ValueError(f"sizes {shape} need {math.prod(shape) * itemsize} bytes; the limit is {self.limit}")


def _take_categories(codes: np.ndarray, categories: np.ndarray) -> list[str]:
    names = [*_decode_all(categories), ""]  # code −1: missing
    if not ((codes >= -1) & (codes < len(categories))).all():
        raise ValueError(f"codes of categories must be from -1 to {len(categories) - 1}")
    return [names[code] for code in codes]


def _decode_all(values: np.ndarray) -> list[str]:
    return [_decode(value) for value in values]


def _decode(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def main(path: str, folder: str, limit: str, label: str | None = None) -> None:
    """Read a file and write its contents to a folder; exit with a line on stderr on any error."""
    try:
        with h5py.File(path, "r") as file:
            x, rest = Reader(file, int(limit)).read(label)
        np.save(Path(folder) / "x.npy", x, allow_pickle=False)
        (Path(folder) / "rest.json").write_text(json.dumps(rest))
    except Exception as error:
        sys.exit(str(error) or type(error).__name__)


if __name__ == "__main__":
    main(*sys.argv[1:])
