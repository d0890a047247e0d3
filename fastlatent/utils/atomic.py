"""Atomic file writes."""

import os
from collections.abc import Callable
from pathlib import Path


def atomic_write(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file to a temporary name, flush it to disk, and rename it.

    Args:
        path: path of the file.
        write: function of a path that writes the contents to it.

    Raises:
        OSError: naming the file, if it cannot be written; an existing file is unchanged.
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
    """Flush a file, or the entries of a folder, to disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def part(path: Path) -> Path:
    """Return the temporary name of a file while it is written."""
    return path.with_name(f".{path.name}.part")


def cannot_write(path: Path, error: OSError) -> OSError:
    """Return an error that names the path that could not be written, and the reason."""
    named = OSError(f"cannot write {path}: {error.strerror or error}")
    named.errno = error.errno
    return named
