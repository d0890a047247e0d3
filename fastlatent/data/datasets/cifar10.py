"""CIFAR-10, from the Python version's batches, archived or unpacked, or from a .npz file."""

import gzip
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import numpy as np
import torch

from ..dataset import Dataset, Split
from ..files import CHUNK, BoundedReader, errors_naming_file, find_file, read_bounded
from ..formats.images import images_npz
from ..formats.safe_pickle import read_pickle

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN, TEST = tuple(f"data_batch_{i}" for i in range(1, 6)), ("test_batch",)
FILES = ("cifar-10-python.tar.gz", "cifar-10-batches-py", "cifar10.npz", "cifar10_jpeg_16k_4k.npz")
MAX_BATCH, MAX_ARCHIVE = 2**26, 2**28  # bytes; a batch has 31 million, the decompressed archive 187 million


def cifar10(data_dir: Path | None = None) -> Dataset:
    """Load CIFAR-10: 50,000 + 10,000 photographs of ten classes, 3×32×32.

    Read from cifar-10-python.tar.gz, or its unpacked folder cifar-10-batches-py, by `read_pickle`; or from a .npz file
    with its own split (see `images_npz`).

    Raises:
        FileNotFoundError: if none of these exists.
        ValueError: if the file has other contents.
    """
    path = find_file("cifar10", data_dir, FILES)
    if path.suffix == ".npz":
        return images_npz(path, "cifar10")
    batches = _read_folder(path) if path.is_dir() else _read_archive(path)
    train, test = (_split(path, batches, names) for names in (TRAIN, TEST))
    return Dataset("cifar10", train, test, epochs=20, classes=CLASSES)


def _read_folder(folder: Path) -> Mapping[str, bytes | bytearray]:
    return {name: read_bounded(folder / name, MAX_BATCH) for name in TRAIN + TEST if (folder / name).is_file()}


def _read_archive(path: Path) -> Mapping[str, bytes | bytearray]:
    """Read the batches from the archive without unpacking it to disk."""
    batches: dict[str, bytes] = {}
    with errors_naming_file(path, "archive of CIFAR-10"), gzip.open(path) as decompressed:
        stream = cast(IO[bytes], BoundedReader(decompressed, MAX_ARCHIVE))  # tarfile calls its `read` only
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                file = archive.extractfile(member) if name in TRAIN + TEST and member.isfile() else None
                if file is not None:
                    batches[name] = file.read()
        while stream.read(CHUNK):  # up to the checksum at the end
            pass
    return batches


def _split(path: Path, batches: Mapping[str, bytes | bytearray], names: tuple[str, ...]) -> Split:
    parts = []
    for name in names:
        with errors_naming_file(path / name, "batch of CIFAR-10"):
            if name not in batches:
                raise ValueError("it is missing")
            parts.append(_check_batch(read_pickle(batches[name])))
    x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Split(torch.from_numpy(x.reshape(-1, 3, 32, 32)), torch.from_numpy(y))


def _check_batch(content: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (n, 3072), red, green, then blue, each row by row, and labels (n,)."""
    x, labels = content.get("data"), content.get("labels")
    if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.ndim != 2 or x.shape[1] != 3 * 32 * 32:
        raise ValueError("data must be an array (n, 3072) of uint8")
    if not isinstance(labels, list) or len(labels) != len(x):
        raise ValueError(f"labels must be a list of {len(x)} numbers, one for each image")
    if not all(type(label) is int and 0 <= label < len(CLASSES) for label in labels):
        raise ValueError(f"labels must be integers from 0 to {len(CLASSES) - 1}")
    return x, np.array(labels, dtype=np.int64)
