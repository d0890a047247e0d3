"""Format version of run folders: of config.yaml, checkpoints and results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

RUN_FORMAT = 1  # version 0.1.0 and older wrote no version, which counts as 0


class RunFileError(ValueError):
    """A file of a run folder that cannot be read."""


class RunFormatError(RunFileError):
    """A file of a run folder in another format than this version reads."""


def check_run_format(origin: Path | str, content: Any) -> None:
    """Require the run format of this version.

    Args:
        origin: run folder, checkpoint or repository, for the message.
        content: parsed file, a mapping whose entry `format` is the version.

    Raises:
        RunFormatError: if the format is another one, or missing.
    """
    version = content.get("format", 0) if isinstance(content, Mapping) else 0
    if type(version) is not int or version != RUN_FORMAT:  # True == 1
        writer = " (fastlatent 0.1.0 or older)" if version == 0 else ""
        advice = "upgrade fastlatent" if type(version) is int and version > RUN_FORMAT else "train it again"
        raise RunFormatError(
            f"{origin}: written in run format {version!r}{writer}; this version reads format {RUN_FORMAT}: {advice}"
        )
