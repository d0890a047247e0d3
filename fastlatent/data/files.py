"""Locations of data files, and reading them with a bound on memory."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias
from zipfile import Path as ZipPath

from .registry import PUBLICATIONS

MAX_BYTES = 2**32  # of one array in memory; the header of a damaged file may declare any size
CHUNK = 2**20  # bytes of one read
AnyPath: TypeAlias = Path | ZipPath  # of a file or folder, on disk or in a .zip file


def data_folder(data_dir: Path | None) -> Path:
    """Return `data_dir`, or if None the environment variable FASTLATENT_DATA, or if unset ~/.cache/fastlatent."""
    return Path(data_dir or os.environ.get("FASTLATENT_DATA") or Path.home() / ".cache" / "fastlatent").expanduser()


def find_file(name: str, data_dir: Path | None, files: Sequence[str]) -> Path:
    """Return the first of these files or folders that exists in the data set's subfolder or in the data folder.

    Args:
        name: name of the data set, one of `PUBLICATIONS`.
        data_dir: see `data_folder`.
        files: alternative names of the file.

    Raises:
        FileNotFoundError: if none exists; the message names the folders searched and the publisher.
    """
    folder, publication = data_folder(data_dir), PUBLICATIONS[name]
    subfolder = folder / publication.folder
    for path in (parent / file for parent in (subfolder, folder) for file in files):
        if path.exists():
            return path
    download = "download it with --download, or " if publication.files else ""
    published = ", ".join(file.name for file in publication.files) or files[0]
    raise FileNotFoundError(
        f"{name}: no {' or '.join(files)} in {subfolder} or {folder}; {download}put {published} ({publication.page}) "
        f"into {subfolder}, or set its folder with --data-dir or FASTLATENT_DATA"
    )


@contextmanager
def errors_naming_file(path: object, file_type: str) -> Iterator[None]:
    """Convert any exception to a ValueError that names the file.

    Libraries raise exceptions of any type on a damaged or malicious file.

    Args:
        path: path of the file.
        file_type: noun phrase for the format of the file, for the message.

    Raises:
        ValueError: from any exception but ImportError.
    """
    try:
        yield
    except ImportError:  # a missing library is not an error of the file
        raise
    except Exception as error:
        raise ValueError(f"{path}: not a valid {file_type}: {error or type(error).__name__}") from error


def check_size(shape: Sequence[int], itemsize: int) -> None:
    """Require at most `MAX_BYTES` bytes for an array.

    Args:
        shape: shape of the array.
        itemsize: bytes of one element.

    Raises:
        ValueError: if the array is larger.
    """
    size = itemsize
    for side in shape:
        size *= int(side)
    if size > MAX_BYTES:
        raise ValueError(f"sizes {tuple(map(int, shape))} need {size} bytes; the limit is {MAX_BYTES}")


class Readable(Protocol):
    """Binary stream."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most `size`."""


class BoundedReader:
    """Binary stream with a bound on its total size: a small compressed file can expand to any size.

    Args:
        file: stream of the decompressed bytes.
        limit: maximum number of bytes in total.
    """

    def __init__(self, file: Readable, limit: int) -> None:
        self.file, self.limit, self.total = file, limit, 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`.

        Raises:
            ValueError: if the total exceeds the limit.
        """
        data = self.file.read(size)
        self.total += len(data)
        if self.total > self.limit:
            raise ValueError(f"it expands to more than {self.limit} bytes")
        return data


def read_bounded(path: AnyPath, limit: int = MAX_BYTES) -> bytearray:
    """Read all bytes of a file.

    Args:
        path: path of the file.
        limit: maximum number of bytes.

    Raises:
        ValueError: if the file is larger.
    """
    with path.open("rb") as file:
        return bytearray().join(iter(partial(BoundedReader(file, limit).read, CHUNK), b""))
