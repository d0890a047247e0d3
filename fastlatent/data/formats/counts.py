"""Gene counts of single cells from AnnData's .h5ad files and .npz files."""

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
from ..files import MAX_BYTES, check_size, errors_naming_file
from ..tables import TableDataset, build_table
from .csv_files import encode_labels
from .numpy_files import read_npy, read_npz

TOTAL = 10_000  # counts of each cell after normalization
COUNT_FIELDS = ("counts", "lognorm")  # of a .npz file
BASE_TIMEOUT, MIN_RATE = 60.0, 1e7  # seconds, and bytes per second: limit on the time to read an AnnData file


def counts_npz(path: Path, name: str) -> TableDataset:
    """Load cells from a .npz file.

    Args:
        path: file with `counts` or `lognorm` (cells, genes), and optionally `label` (cells,), `classes` and `genes`.
        name: name of the data set.

    Raises:
        ValueError: if the file has other contents.
    """
    arrays = read_npz(path, (), (*COUNT_FIELDS, "label", "classes", "genes"))
    with errors_naming_file(path, "file of counts"):
        x = next((arrays[field] for field in COUNT_FIELDS if field in arrays), None)
        if x is None:
            raise ValueError(f"it must have {' or '.join(COUNT_FIELDS)}")
        genes = [str(gene) for gene in arrays.get("genes", range(1, x.shape[-1] + 1))]
        if "classes" not in arrays:
            return _table(name, x, *encode_labels([str(i) for i in arrays.get("label", ())], len(x)), genes)
        labels, classes = arrays["label"].astype(np.int64), tuple(map(str, arrays["classes"]))
        if not ((labels >= UNLABELED) & (labels < len(classes))).all():
            raise ValueError(f"label must be from 0 to {len(classes) - 1}, the index of a class, or {UNLABELED}")
        return _table(name, x, labels, classes, genes)


def h5ad(path: Path, label: str | None = None, name: str | None = None) -> TableDataset:
    """Load cells from an AnnData file: the first existing one of layers/counts, raw/X and X, sparse or dense.

    Args:
        path: path of the file; links to other files are refused.
        label: column of `obs` with the classes; None: label, cell_type, celltype or bulk_labels, if there is one.
        name: name of the data set; None: that of the file.

    Raises:
        ValueError: naming the file, if it is damaged, larger than the memory limit, or has no such column.
        ImportError: if h5py is not installed.
    """
    if find_spec("h5py") is None:
        raise ImportError("reading .h5ad files needs h5py: install fastlatent with its extra 'data'")
    with errors_naming_file(path, "AnnData file"), TemporaryDirectory() as folder:
        _read_in_subprocess(path, folder, label)
        x, rest = read_npy(Path(folder) / "x.npy"), json.loads((Path(folder) / "rest.json").read_text())
        labels, classes = encode_labels(rest["labels"] or [], len(x))
        return _table(name or path.stem, x, labels, classes, rest["genes"])


def _read_in_subprocess(path: Path, folder: str, label: str | None) -> None:
    """Run the program `anndata.py` with a timeout."""
    program = str(Path(__file__).with_name("anndata.py"))
    arguments = [str(path.resolve()), folder, str(MAX_BYTES), *([] if label is None else [label])]
    seconds = BASE_TIMEOUT + path.stat().st_size / MIN_RATE
    try:
        process = run([sys.executable, "-I", program, *arguments], capture_output=True, text=True, timeout=seconds)
    except TimeoutExpired as error:
        raise ValueError(f"it could not be read within {seconds:.0f} s") from error
    if process.returncode:
        lines = process.stderr.strip().splitlines() or [f"the reader crashed with exit status {process.returncode}"]
        raise ValueError(lines[-1])


def log_normalized(x: np.ndarray) -> np.ndarray:
    """Normalize raw counts: log(1 + 10,000·x/Σx), Σ over the genes of a cell.

    Args:
        x: counts (cells, genes), ≥ 0.

    Returns:
        (cells, genes), float64; 0 for a cell without counts.
    """
    totals = x.sum(1, keepdims=True, dtype=np.float64)
    return np.log1p(TOTAL * x / np.where(totals > 0, totals, 1))


def _table(
    name: str, x: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], genes: Sequence[str]
) -> TableDataset:
    """Build a data set of numeric columns; raw counts, all integers ≥ 0, are normalized."""
    if x.ndim != 2 or x.dtype.kind not in "iuf" or len(labels) != len(x) or len(genes) != x.shape[1]:
        raise ValueError(
            f"it must be numbers (cells, genes), with a label for each cell and a name for each gene; got {x.dtype} "
            f"{x.shape}, {len(labels)} labels, {len(genes)} names"
        )
    check_size(x.shape, 4)
    if not np.isfinite(x).all():
        raise ValueError("counts must be finite")
    if (x >= 0).all() and (x == np.floor(x)).all():
        x = log_normalized(x)
    train, test = split_rows(len(x))
    return build_table(
        name,
        x[train],
        x[test],
        (labels[train], labels[test]),
        genes,
        epochs=default_epochs(len(train)),
        classes=classes,
    )
