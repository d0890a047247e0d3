"""PBMC 68k, reduced: gene counts of blood cells."""

from pathlib import Path

from ..files import find_file
from ..formats.counts import counts_npz, h5ad
from ..tables import TableDataset


def pbmc68k(data_dir: Path | None = None) -> TableDataset:
    """Load PBMC 68k, reduced: 700 blood cells of ten types, 765 genes, log-normalized; a quarter is for testing.

    Read from pbmc68k_reduced.npz (see `counts_npz`) or 10x_pbmc68k_reduced.h5ad (see `h5ad`).

    Raises:
        FileNotFoundError: if both files are missing.
        ValueError: if the file has other contents.

    Source: Zheng et al. 2017, "Massively parallel digital transcriptional profiling of single cells", as reduced by
    scanpy.
    """
    path = find_file("pbmc68k", data_dir, ("pbmc68k_reduced.npz", "10x_pbmc68k_reduced.h5ad"))
    return counts_npz(path, "pbmc68k") if path.suffix == ".npz" else h5ad(path, "bulk_labels", "pbmc68k")
