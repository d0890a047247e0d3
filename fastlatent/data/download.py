"""Downloads of published files: resumed after an interruption, verified, and complete under their final name."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TimeRemainingColumn, TransferSpeedColumn

from .files import CHUNK, MAX_BYTES, data_folder
from .registry import PUBLICATIONS, PublishedFile

MAX_ATTEMPTS = 3  # connections for one file
TIMEOUT = 30  # seconds without a response


def fetch(name: str, data_dir: Path | None) -> None:
    """Download the missing published files of a data set into its subfolder of the data folder.

    Args:
        name: name of the data set, one of `PUBLICATIONS`.
        data_dir: see `data_folder`.

    Raises:
        OSError: if a file cannot be downloaded or differs from the published one; the message says how to add it
            manually.
    """
    publication, data_root = PUBLICATIONS[name], data_folder(data_dir)
    folder = data_root / publication.folder
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".fetching"):  # one of several processes downloads
        for file in publication.files:
            try:
                if not ((folder / file.name).exists() or (data_root / file.name).exists()):
                    download(file, folder)
            except OSError as error:
                manually = f"put {file.name} from {file.url} ({publication.page}) into {folder}"
                raise OSError(f"{name}: {error}; run it again to resume, or {manually}") from error


def download(file: PublishedFile, folder: Path) -> Path:
    """Download one file; an incomplete download is kept as NAME.part, from which the next call resumes.

    Args:
        file: name, URL and checksum of the file.
        folder: existing folder for the file.

    Returns:
        Path of the file.

    Raises:
        OSError: if the file cannot be downloaded, or the download differs from the published file and was deleted.
    """
    path = folder / file.name
    part = path.with_name(f"{file.name}.part")
    with _progress_bar() as bar:
        task = bar.add_task(file.name, total=None)
        for attempt in range(MAX_ATTEMPTS):
            try:
                _append_rest(file.url, part, bar, task)
                break
            except (OSError, HTTPException) as error:
                if attempt + 1 == MAX_ATTEMPTS or isinstance(error, HTTPError):
                    raise OSError(f"cannot download {file.url}: {_reason(error)}") from error
    checksum = _checksum(part, file.check)
    if checksum != file.check:
        part.unlink()
        raise OSError(f"{file.url} differs from the published file: {checksum} instead of {file.check}")
    return part.replace(path)


def _append_rest(url: str, part: Path, bar: Progress, task: TaskID) -> None:
    """Append the missing bytes to `part`, or start over if the server does not support range requests."""
    start = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    try:
        response: HTTPResponse = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # no byte is missing; the checksum is verified later
        raise
    with response:
        start = start if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        length = response.headers["Content-Length"]
        total = None if length is None else start + int(length)
        bar.update(task, completed=start, total=total)
        with part.open("ab" if start else "wb") as file:
            received = start
            while chunk := response.read(CHUNK):
                received += len(chunk)
                if received > MAX_BYTES:
                    raise OSError(f"it is larger than {MAX_BYTES} bytes")
                file.write(chunk)
                bar.update(task, completed=received)
    if total is not None and received < total:
        raise OSError(f"the connection ended after {received} of {total} bytes")


def _checksum(path: Path, check: str) -> str:
    """Compute the checksum of a file, of the same kind as `check`."""
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
def _progress_bar() -> Iterator[Progress]:
    """Show a progress bar on a terminal, and nothing otherwise."""
    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar
