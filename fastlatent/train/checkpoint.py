"""Checkpoints: the state of a training on disk, whole or not at all, and read back without unpickling anything."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load, save
from torch import Tensor

from ..utils.atomic import cannot_write, flush

TENSORS, REST, SUMS = "state.safetensors", "state.json", "SHA256SUMS"
PART = ".part"  # what a folder's name starts with while it is written or removed


class CorruptCheckpoint(Exception):
    """A checkpoint whose files are not as they were written."""


class Loaded(NamedTuple):
    """The newest whole checkpoint, and what is wrong with each newer one."""

    path: Path
    state: dict[str, Any]
    damaged: dict[Path, str]


class Checkpoints:
    """The checkpoints of a run: a folder for each, named by its step.

    In each, state.safetensors holds the tensors, state.json all else and where each tensor belongs, and SHA256SUMS
    the sums of both (`sha256sum -c` checks them).

    Args:
        folder: where they are.
        keep: how many of the last are kept.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self.keep = folder, keep

    def paths(self) -> list[Path]:
        """The checkpoints that are there, oldest first."""
        return sorted(self.folder.glob("step-*"))

    def path(self, step: int) -> Path:
        """Where the checkpoint after so many steps is."""
        return self.folder / f"step-{step:09d}"

    def save(self, step: int, state: Mapping[str, Any]) -> Path:
        """Write a checkpoint, then remove those that are too many.

        Args:
            step: after how many steps of training.
            state: nested mappings and sequences of tensors and of what JSON knows.

        Raises:
            OSError: naming the path, if it cannot be written; the checkpoints before are still there.
        """
        path = self.path(step)
        part = self.folder / f"{PART}-{path.name}"
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            for name, data in _files(state).items():
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

    def newest(self) -> Loaded | None:
        """The newest checkpoint that is whole; None if there is none at all.

        Raises:
            OSError: if there are some, but none is whole.
        """
        damaged: dict[Path, str] = {}
        for path in reversed(self.paths()):
            try:
                return Loaded(path, _read(path), damaged)
            except CorruptCheckpoint as error:
                damaged[path] = str(error)
        if damaged:
            wrong = "; ".join(f"{path.name}: {what}" for path, what in damaged.items())
            raise OSError(f"no checkpoint in {self.folder} is whole ({wrong})")
        return None

    def remove(self, path: Path) -> None:
        """Remove a checkpoint, so that at no moment half of it is there under its name."""
        shutil.rmtree(path.rename(self.folder / f"{PART}-{path.name}"))

    def prune(self) -> None:
        """Remove the checkpoints before the last that are kept."""
        for old in self.paths()[: -self.keep]:
            self.remove(old)

    def tidy(self) -> None:
        """Remove what a process that was killed left too much, half written or half removed."""
        self.prune()
        for part in self.folder.glob(f"{PART}-*"):
            shutil.rmtree(part)


def _files(state: Mapping[str, Any]) -> dict[str, bytes]:
    tensors: dict[str, Tensor] = {}
    rest = json.dumps(_split(state, "", tensors), indent=1)
    files = {TENSORS: save(tensors), REST: rest.encode()}
    sums = "".join(f"{_sum(data)}  {name}\n" for name, data in files.items())
    return {**files, SUMS: sums.encode()}


def _read(path: Path) -> dict[str, Any]:
    try:
        lines = (path / SUMS).read_text().splitlines()
        sums = {name: of for of, name in (line.split("  ") for line in lines)}
        files = {name: (path / name).read_bytes() for name in (TENSORS, REST)}
    except (FileNotFoundError, ValueError) as error:
        raise CorruptCheckpoint(str(error)) from error
    for name, data in files.items():
        if _sum(data) != sums.get(name):
            raise CorruptCheckpoint(f"{name} is not as it was written")
    tensors = load(files[TENSORS])
    return json.loads(files[REST], object_hook=lambda node: tensors[node["tensor"]] if _stands_in(node) else node)


def _split(node: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The node with each tensor in it put aside under its path, and {"tensor": path} in its place."""
    if isinstance(node, Tensor):
        tensors[path] = node.detach().cpu().contiguous()
        return {"tensor": path}
    if isinstance(node, Mapping):
        return {str(key): _split(value, f"{path}/{key}" if path else str(key), tensors) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_split(value, f"{path}/{index}", tensors) for index, value in enumerate(node)]
    return node


def _stands_in(node: Mapping[str, Any]) -> bool:
    return node.keys() == {"tensor"} and isinstance(node["tensor"], str)


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
