"""Where the files of data sets are looked for, and how much of them is believed."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias
from zipfile import Path as ZipPath

from .registry import PUBLICATIONS

MAX_BYTES = 2**32  # of one array in memory; a file that asks for more is refused
CHUNK = 2**20  # bytes read at a time
Folder: TypeAlias = Path | ZipPath  # a folder or file, on disk or in a .zip file


def data_folder(data_dir: Path | None) -> Path:
    """Where data is looked for: `data_dir`, else the environment's FASTLATENT_DATA, else ~/.cache/fastlatent."""
    return Path(data_dir or os.environ.get("FASTLATENT_DATA") or Path.home() / ".cache" / "fastlatent").expanduser()


def find_file(name: str, data_dir: Path | None, files: Sequence[str]) -> Path:
    """The first of these files or folders that is there, in the data set's subfolder or in the data folder itself.

    Args:
        name: of the data set, one of `PUBLICATIONS`.
        data_dir: as of `data_folder`.
        files: names that the file may have.

    Raises:
        FileNotFoundError: naming the file that is missing, where it was looked for and where it comes from.
    """
    folder, publication = data_folder(data_dir), PUBLICATIONS[name]
    inside = folder / publication.folder
    for path in (place / file for place in (inside, folder) for file in files):
        if path.exists():
            return path
    fetch = "fetch it with --download, or " if publication.files else ""
    published = ", ".join(file.name for file in publication.files) or files[0]
    raise FileNotFoundError(
        f"{name}: no {' or '.join(files)} in {inside} or {folder}; {fetch}put {published} ({publication.page}) into "
        f"{inside}, or say where it is with --data-dir or FASTLATENT_DATA"
    )


@contextmanager
def errors_naming_file(path: object, what: str) -> Iterator[None]:
    """Turn whatever goes wrong in reading a file into a ValueError that names it.

    Libraries that read a damaged or hostile file raise errors of any kind.
    """
    try:
        yield
    except ImportError:  # a library is missing, nothing is wrong with the file
        raise
    except Exception as error:
        raise ValueError(f"{path}: not a whole {what}: {error or type(error).__name__}") from error


def check_size(shape: Sequence[int], itemsize: int) -> None:
    """Require that an array of this shape is to be believed: MAX_BYTES at most.

    Raises:
        ValueError: if it is larger.
    """
    size = itemsize
    for side in shape:
        size *= int(side)
    if size > MAX_BYTES:
        raise ValueError(f"sizes {tuple(map(int, shape))} need {size} bytes; at most {MAX_BYTES} are read")


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""


class BoundedReader:
    """A file opened for reading that unpacks to so many bytes at most, however little it is packed into.

    Args:
        file: to read from.
        limit: bytes in all.
    """

    def __init__(self, file: Readable, limit: int) -> None:
        self.file, self.limit, self.got = file, limit, 0

    def read(self, size: int) -> bytes:
        """The next bytes, as of any file.

        Raises:
            ValueError: past the limit.
        """
        data = self.file.read(size)
        self.got += len(data)
        if self.got > self.limit:
            raise ValueError(f"it unpacks to more than {self.limit} bytes")
        return data


def read_whole(path: Folder, limit: int = MAX_BYTES) -> bytearray:
    """All bytes of a file.

    Raises:
        ValueError: if they are more than `limit`.
    """
    with path.open("rb") as file:
        return bytearray().join(iter(partial(BoundedReader(file, limit).read, CHUNK), b""))
