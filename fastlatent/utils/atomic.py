"""Files that are whole or not there."""

import os
from collections.abc import Callable
from pathlib import Path


def atomic_write(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all: to a temporary name, flushed to disk, then renamed.

    Raises:
        OSError: naming the file, if it cannot be written; what was there before is still there.
    """
    temporary = part(path)
    try:
        write(temporary)
        flush(temporary)
        temporary.replace(path)
        flush(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def part(path: Path) -> Path:
    """A file's name while it is written."""
    return path.with_name(f".{path.name}.part")


def cannot_write(path: Path, error: OSError) -> OSError:
    """The error that says which path could not be written, and why."""
    told = OSError(f"cannot write {path}: {error.strerror or error}")
    told.errno = error.errno
    return told
