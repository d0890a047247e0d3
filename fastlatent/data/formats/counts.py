"""Counts of genes in single cells: AnnData's .h5ad files, and .npz files."""

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from subprocess import TimeoutExpired, run
from tempfile import TemporaryDirectory

import numpy as np

from ..batch import UNLABELED
from ..dataset import default_epochs, split_rows
from ..files import MAX_BYTES, check_size, errors_naming_file, find_file
from ..tables import TableDataset, table
from .csv_files import numbered
from .numpy_files import read_npy, read_npz

TOTAL = 10_000  # counts of each cell after normalization
COUNTS = ("counts", "lognorm")  # in a .npz file
PATIENCE, SLOWEST = 60.0, 1e7  # seconds, and bytes a second, that an AnnData file may take to be read


def pbmc68k(data_dir: Path | None = None) -> TableDataset:
    """PBMC 68k, reduced: 700 blood cells of ten types, 765 genes, log-normalized; a quarter is for testing.

    Read from pbmc68k_reduced.npz, as of `counts_npz`, or from 10x_pbmc68k_reduced.h5ad, as of `h5ad`.

    Raises:
        FileNotFoundError: where there is neither.
        ValueError: if it holds something else.

    Source: Zheng et al. 2017, "Massively parallel digital transcriptional profiling of single cells", as reduced by
    scanpy.
    """
    path = find_file("pbmc68k", data_dir, ("pbmc68k_reduced.npz", "10x_pbmc68k_reduced.h5ad"))
    return counts_npz(path, "pbmc68k") if path.suffix == ".npz" else h5ad(path, "bulk_labels", "pbmc68k")


def counts_npz(path: Path, name: str) -> TableDataset:
    """Cells of a .npz file: `counts`, or `lognorm` (cells, genes); `label` (cells,), `classes` and `genes` if there.

    Raises:
        ValueError: if the file holds something else.
    """
    arrays = read_npz(path, (), (*COUNTS, "label", "classes", "genes"))
    with errors_naming_file(path, "file of counts"):
        x = next((arrays[field] for field in COUNTS if field in arrays), None)
        if x is None:
            raise ValueError(f"it must hold {' or '.join(COUNTS)}")
        genes = [str(gene) for gene in arrays.get("genes", range(1, x.shape[-1] + 1))]
        if "classes" not in arrays:
            return _table(name, x, *numbered([str(i) for i in arrays.get("label", ())], len(x)), genes)
        labels, classes = arrays["label"].astype(np.int64), tuple(map(str, arrays["classes"]))
        if not ((labels >= UNLABELED) & (labels < len(classes))).all():
            raise ValueError(f"label must be from 0 to {len(classes) - 1}, the classes; or {UNLABELED}")
        return _table(name, x, labels, classes, genes)


def h5ad(path: Path, label: str | None = None, name: str | None = None) -> TableDataset:
    """Cells of an AnnData file: the first of layers/counts, raw/X and X that it has, sparse or dense.

    Args:
        path: of the file; links out of it are refused.
        label: the column of `obs` with the classes; None: label, cell_type, celltype or bulk_labels, if it has one.
        name: of the data set; None: the file's.

    Raises:
        ValueError: naming the file, if it is damaged, too large for the memory, or has no such column.
        ImportError: where h5py is not installed.
    """
    if find_spec("h5py") is None:
        raise ImportError("reading .h5ad files needs h5py: install fastlatent with its extra 'data'")
    with errors_naming_file(path, "AnnData file"), TemporaryDirectory() as folder:
        _read_apart(path, folder, label)
        x, rest = read_npy(Path(folder) / "x.npy"), json.loads((Path(folder) / "rest.json").read_text())
        labels, classes = numbered(rest["words"] or [], len(x))
        return _table(name or path.stem, x, labels, classes, rest["genes"])


def _read_apart(path: Path, folder: str, label: str | None) -> None:
    """Read an AnnData file by the program `anndata.py`, and stop that if it does not end."""
    program = str(Path(__file__).with_name("anndata.py"))
    arguments = [str(path.resolve()), folder, str(MAX_BYTES), *([] if label is None else [label])]
    seconds = PATIENCE + path.stat().st_size / SLOWEST
    try:
        done = run([sys.executable, "-I", program, *arguments], capture_output=True, text=True, timeout=seconds)
    except TimeoutExpired as error:
        raise ValueError(f"it could not be read within {seconds:.0f} s") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"reading it ended the process ({done.returncode})"]
        raise ValueError(lines[-1])


def log_normalized(x: np.ndarray) -> np.ndarray:
    """log(1 + 10,000·x/Σx) of raw counts (cells, genes), Σ over a cell's genes; a cell of zeros stays as it is."""
    totals = x.sum(1, keepdims=True, dtype=np.float64)
    return np.log1p(TOTAL * x / np.where(totals > 0, totals, 1))


def _table(
    name: str, x: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], genes: Sequence[str]
) -> TableDataset:
    """Cells as rows of numeric columns; raw counts, integers from 0 on, are normalized."""
    if x.ndim != 2 or x.dtype.kind not in "iuf" or len(labels) != len(x) or len(genes) != x.shape[1]:
        raise ValueError(
            f"it must be numbers (cells, genes), a label a cell, a name a gene; got {x.dtype} {x.shape}, "
            f"{len(labels)} labels, {len(genes)} names"
        )
    check_size(x.shape, 4)
    if not np.isfinite(x).all():
        raise ValueError("counts must be finite")
    if (x >= 0).all() and (x == np.floor(x)).all():
        x = log_normalized(x)
    train, test = split_rows(len(x))
    return table(
        name,
        x[train],
        x[test],
        (labels[train], labels[test]),
        genes,
        epochs=default_epochs(len(train)),
        classes=classes,
    )
