"""Checkpoints on disk: written atomically, verified by checksums, and loaded without unpickling."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load, save
from torch import Tensor

from ..utils.atomic import cannot_write, flush
from ..utils.run_format import RUN_FORMAT, check_run_format

TENSORS, STATE, CHECKSUMS = "state.safetensors", "state.json", "SHA256SUMS"
PART = ".part"  # prefix of a folder's name while it is written or removed


class CorruptCheckpoint(Exception):
    """A checkpoint with a file that is missing or differs from its checksum."""


class LoadedCheckpoint(NamedTuple):
    """The newest intact checkpoint, and the error of each newer, corrupt one."""

    path: Path
    state: dict[str, Any]
    corrupt: dict[Path, str]


class Checkpoints:
    """The checkpoints of a run: one folder each, named by its step.

    Each holds state.safetensors (the tensors), state.json (all other values and the position of each tensor) and
    SHA256SUMS (the checksums of both, for `sha256sum -c`).

    Args:
        folder: parent folder of the checkpoints.
        keep_last: number of checkpoints to keep.
    """

    def __init__(self, folder: Path, keep_last: int) -> None:
        self.folder, self.keep_last = folder, keep_last

    def paths(self) -> list[Path]:
        """Return the existing checkpoints, oldest first."""
        return sorted(self.folder.glob("step-*"))

    def path(self, step: int) -> Path:
        """Return the path of the checkpoint of a step."""
        return self.folder / f"step-{step:09d}"

    def save(self, step: int, state: Mapping[str, Any]) -> Path:
        """Write a checkpoint, then remove all but the last `keep_last`.

        Args:
            step: number of training steps so far.
            state: nested mappings and sequences of tensors and JSON values.

        Raises:
            OSError: naming the path, if it cannot be written; earlier checkpoints are kept.
        """
        path = self.path(step)
        part = self.folder / f"{PART}-{path.name}"
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            for name, data in _serialize({"format": RUN_FORMAT, **state}).items():
                (part / name).write_bytes(data)
                flush(part / name)
            flush(part)
            part.rename(path)
            flush(self.folder)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise cannot_write(path, error) from error
        self.prune()
        return path

    def load_newest(self) -> LoadedCheckpoint | None:
        """Load the newest intact checkpoint; None if there is no checkpoint.

        Raises:
            OSError: if all checkpoints are corrupt.
            RunFormatError: if the checkpoint has another format.
        """
        corrupt: dict[Path, str] = {}
        for path in reversed(self.paths()):
            try:
                return LoadedCheckpoint(path, _read(path), corrupt)
            except CorruptCheckpoint as error:
                corrupt[path] = str(error)
        if corrupt:
            reasons = "; ".join(f"{path.name}: {reason}" for path, reason in corrupt.items())
            raise OSError(f"all checkpoints in {self.folder} are corrupt ({reasons})")
        return None

    def remove(self, path: Path) -> None:
        """Remove a checkpoint, atomically: it is renamed first."""
        shutil.rmtree(path.rename(self.folder / f"{PART}-{path.name}"))

    def prune(self) -> None:
        """Remove all but the last `keep_last` checkpoints."""
        for old in self.paths()[: -self.keep_last]:
            self.remove(old)

    def clean_up(self) -> None:
        """Remove the partial folders of a process that was killed while writing or removing a checkpoint."""
        self.prune()
        for part in self.folder.glob(f"{PART}-*"):
            shutil.rmtree(part)


def _serialize(state: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the content of each file of a checkpoint."""
    tensors: dict[str, Tensor] = {}
    values = json.dumps(_extract_tensors(state, "", tensors), indent=1)
    files = {TENSORS: save(tensors), STATE: values.encode()}
    checksums = "".join(f"{_sha256(data)}  {name}\n" for name, data in files.items())
    return {**files, CHECKSUMS: checksums.encode()}


def _read(path: Path) -> dict[str, Any]:
    """Return the state in a checkpoint, after verification of its checksums."""
    try:
        lines = (path / CHECKSUMS).read_text().splitlines()
        checksums = {name: checksum for checksum, name in (line.split("  ") for line in lines)}
        files = {name: (path / name).read_bytes() for name in (TENSORS, STATE)}
    except (FileNotFoundError, ValueError) as error:
        raise CorruptCheckpoint(str(error)) from error
    for name, data in files.items():
        if _sha256(data) != checksums.get(name):
            raise CorruptCheckpoint(f"{name} differs from its checksum")
    tensors = load(files[TENSORS])
    state = json.loads(files[STATE], object_hook=lambda node: tensors[node["tensor"]] if _is_reference(node) else node)
    check_run_format(path, state)
    return state


def _extract_tensors(node: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Move each tensor of the node to `tensors`, and leave {"tensor": path} in its place."""
    if isinstance(node, Tensor):
        tensors[path] = node.detach().cpu().contiguous()
        return {"tensor": path}
    if isinstance(node, Mapping):
        prefix = f"{path}/" if path else ""
        return {str(key): _extract_tensors(value, f"{prefix}{key}", tensors) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_extract_tensors(value, f"{path}/{index}", tensors) for index, value in enumerate(node)]
    return node


def _is_reference(node: Mapping[str, Any]) -> bool:
    return node.keys() == {"tensor"} and isinstance(node["tensor"], str)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
