"""A program that reads an AnnData file: python anndata.py FILE FOLDER LIMIT [LABEL].

HDF5's own library reads damaged files with undefined outcome, among others it never comes to an end; so it is given a
process of its own, which `counts.h5ad` can stop. It leaves x.npy and rest.json in FOLDER; an error is a line on stderr.

The layouts of today and of before 2020 are read; LIMIT is the largest number of bytes of an array.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

MATRICES = {"layers/counts": "var", "raw/X": "raw/var", "raw.X": "raw.var", "X": "var"}  # and tables of their genes
LABELS = ("label", "cell_type", "celltype", "bulk_labels")  # the column of classes, unless another is given
SPARSE = {"csr_matrix": csr_matrix, "csc_matrix": csc_matrix, "csr": csr_matrix, "csc": csc_matrix}


class Reader:
    """An open file of which no array is read that is too large or lies elsewhere.

    Args:
        file: to read.
        limit: bytes of an array.
    """

    def __init__(self, file: h5py.File, limit: int) -> None:
        self.file, self.limit = file, limit

    def read(self, label: str | None) -> tuple[np.ndarray, dict[str, Any]]:
        """The matrix (cells, genes); the genes' names and the cells' classes, or None."""
        place = next((place for place in MATRICES if place in self.file), None)
        if place is None:
            raise ValueError(f"it must hold one of {', '.join(MATRICES)}")
        columns = self.columns("obs")
        chosen = label or next((column for column in LABELS if column in columns), None)
        if chosen is not None and chosen not in columns:
            raise ValueError(f"label must be one of {', '.join(columns)}; got {chosen}")
        words = None if chosen is None else self.words(chosen)
        return self.matrix(place), {"genes": self.index(MATRICES[place]), "words": words}

    def matrix(self, place: str) -> np.ndarray:
        """The dense matrix at this place."""
        found = self.own(self.file, place)
        if isinstance(found, h5py.Dataset):
            return self.values(found)
        kind = _string(found.attrs.get("encoding-type", found.attrs.get("h5sparse_format")))
        if kind not in SPARSE:
            raise ValueError(f"{place} must be a dense, csr or csc matrix; got {kind}")
        shape = tuple(map(int, found.attrs.get("shape", found.attrs.get("h5sparse_shape", ()))))
        self.check(shape, 4)
        parts = tuple(self.values(self.own(found, part)) for part in ("data", "indices", "indptr"))
        made = SPARSE[kind](parts, shape=shape)
        made.check_format(full_check=True)  # indices outside the matrix would be written outside the memory
        return made.toarray()

    def columns(self, table: str) -> tuple[str, ...]:
        """The names of a table's columns."""
        found = self.own(self.file, table)
        return tuple(found.dtype.names if isinstance(found, h5py.Dataset) else found)

    def index(self, table: str) -> list[str]:
        """The names of a table's rows."""
        found = self.own(self.file, table)
        if isinstance(found, h5py.Dataset):  # before 2020: one array of rows, its first column their names
            return _strings(self.values(found)[found.dtype.names[0]])
        return _strings(self.values(self.own(found, _string(found.attrs["_index"]))))

    def words(self, column: str) -> list[str]:
        """A column of `obs` as strings; "" where a category is missing."""
        obs = self.own(self.file, "obs")
        if isinstance(obs, h5py.Dataset):  # before 2020: categories elsewhere
            codes, place = self.values(obs)[column], f"uns/{column}_categories"
            if place not in self.file:
                return _strings(codes)
            return _categories(codes, self.values(self.own(self.file, place)))
        found = self.own(obs, column)
        if isinstance(found, h5py.Group):
            return _categories(self.values(self.own(found, "codes")), self.values(self.own(found, "categories")))
        reference = found.attrs.get("categories")  # of 2020
        if reference is None:
            return _strings(self.values(found))
        return _categories(self.values(found), self.values(self.file[reference]))

    def own(self, group: h5py.Group, place: str) -> Any:
        """What is at this place, if it is within the file."""
        at = group
        for name in place.split("/"):
            if not isinstance(at.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{place} is not there, or is a link")
            at = at[name]
        return at

    def values(self, found: h5py.Dataset) -> np.ndarray:
        """All values of a dataset, if they are in the file."""
        if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
            raise ValueError(f"{getattr(found, 'name', found)} must be values within the file")
        self.check(found.shape, found.dtype.itemsize)
        return found[()]

    def check(self, shape: tuple[int, ...], itemsize: int) -> None:
        """Require that an array is not too large."""
        if math.prod(shape) * itemsize > self.limit:
            raise ValueError(f"sizes {shape} need {math.prod(shape) * itemsize} bytes; at most {self.limit} are read")


def _categories(codes: np.ndarray, categories: np.ndarray) -> list[str]:
    named = [*_strings(categories), ""]  # −1 stands for a missing one
    if not ((codes >= -1) & (codes < len(categories))).all():
        raise ValueError(f"codes of categories must be from -1 to {len(categories) - 1}")
    return [named[code] for code in codes]


def _strings(values: np.ndarray) -> list[str]:
    return [_string(value) for value in values]


def _string(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def main(path: str, folder: str, limit: str, label: str | None = None) -> None:
    """Read it, and end with a line on stderr where that fails."""
    try:
        with h5py.File(path, "r") as file:
            x, rest = Reader(file, int(limit)).read(label)
        np.save(Path(folder) / "x.npy", x, allow_pickle=False)
        (Path(folder) / "rest.json").write_text(json.dumps(rest))
    except Exception as error:
        sys.exit(str(error) or type(error).__name__)


if __name__ == "__main__":
    main(*sys.argv[1:])
