"""Fetching published files: resumed where it stopped, checked, and in place only when whole."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TimeRemainingColumn, TransferSpeedColumn

from .files import CHUNK, MAX_BYTES, data_folder
from .registry import PUBLICATIONS, PublishedFile

TRIES = 3  # a connection that is cut is taken up again so often
TIMEOUT = 30  # seconds without an answer
RANGE, NO_SUCH_RANGE = 206, 416  # HTTP status: the rest of the file, there is no rest


def fetch(name: str, data_dir: Path | None) -> None:
    """Fetch the published files of a data set into its subfolder of the data folder; those that are there stay.

    Args:
        name: of the data set, one of `PUBLICATIONS`.
        data_dir: as of `data_folder`.

    Raises:
        OSError: if one cannot be fetched or is not what was published, saying what to put where by hand.
    """
    publication, place = PUBLICATIONS[name], data_folder(data_dir)
    folder = place / publication.folder
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".fetching"):  # of several processes one fetches
        for file in publication.files:
            try:
                if not ((folder / file.name).exists() or (place / file.name).exists()):
                    download(file, folder)
            except OSError as error:
                by_hand = f"put {file.name} from {file.address} ({publication.page}) into {folder}"
                raise OSError(f"{name}: {error}; run it again to go on, or {by_hand}") from error


def download(file: PublishedFile, folder: Path) -> Path:
    """Fetch one file; what came of it stays in NAME.part until it is whole, and is taken up from there.

    Args:
        file: what, from where, and how a whole copy is known.
        folder: to put it in; it must exist.

    Returns:
        Its path.

    Raises:
        OSError: if it cannot be fetched, or what came is not what was published; nothing is kept of that.
    """
    path = folder / file.name
    part = path.with_name(f"{file.name}.part")
    with _bar() as bar:
        task = bar.add_task(file.name, total=None)
        for attempt in range(TRIES):
            try:
                _fetch_rest(file.address, part, bar, task)
                break
            except (OSError, HTTPException) as error:
                if attempt + 1 == TRIES or isinstance(error, HTTPError):
                    raise OSError(f"cannot fetch {file.address}: {_reason(error)}") from error
    found = _look(part, file.check)
    if found != file.check:
        part.unlink()
        raise OSError(f"{file.address} sent something else than was published: {found}, not {file.check}")
    return part.replace(path)


def _fetch_rest(address: str, part: Path, bar: Progress, task: TaskID) -> None:
    """Append to `part` what is missing of it, or begin again where the server knows no parts of files."""
    start = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    try:
        response: HTTPResponse = urlopen(Request(address, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if start and error.code == NO_SUCH_RANGE:
            return  # all of it is there; if not, its checksum tells
        raise
    with response:
        start = start if response.status == RANGE else 0
        length = response.headers["Content-Length"]
        total = None if length is None else start + int(length)
        bar.update(task, completed=start, total=total)
        with part.open("ab" if start else "wb") as file:
            got = start
            while chunk := response.read(CHUNK):
                got += len(chunk)
                if got > MAX_BYTES:
                    raise OSError(f"it is larger than {MAX_BYTES} bytes")
                file.write(chunk)
                bar.update(task, completed=got)
    if total is not None and got < total:
        raise OSError(f"the connection was cut after {got} of {total} bytes")


def _look(path: Path, check: str) -> str:
    """What there is to compare with `check`, of the same kind."""
    kind = check.partition(":")[0]
    if kind == "size":
        return f"size:{path.stat().st_size}"
    with path.open("rb") as file:
        digest = hashlib.new(kind, usedforsecurity=False)
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def _reason(error: Exception) -> str:
    return str(error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error)


@contextmanager
def _bar() -> Iterator[Progress]:
    """A bar on a terminal; nothing elsewhere."""
    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar
