"""Where the files of data sets are looked for."""

import os
from collections.abc import Sequence
from pathlib import Path


def data_folder(data_dir: Path | None) -> Path:
    """Where data is looked for: `data_dir`, else the environment's FASTLATENT_DATA, else ~/.cache/fastlatent."""
    return Path(data_dir or os.environ.get("FASTLATENT_DATA") or Path.home() / ".cache" / "fastlatent").expanduser()


def find_file(name: str, data_dir: Path | None, files: Sequence[str], subfolder: str | None = None) -> Path:
    """The first of these files that is there, in the data folder's subfolder or in the folder itself.

    Args:
        name: of the data set.
        data_dir: as of `data_folder`.
        files: names that the file may have.
        subfolder: where it may be; None: the data set's name.

    Raises:
        FileNotFoundError: naming the file that is missing and where it was looked for.
    """
    folder = data_folder(data_dir)
    inside = folder / (subfolder or name)
    for path in (place / file for place in (inside, folder) for file in files):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{name}: no {' or '.join(files)} in {inside} or {folder}; "
        "put the file there, or say where it is with --data-dir or FASTLATENT_DATA"
    )
