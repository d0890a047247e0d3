"""The run folder and the files in it."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import load_file, save
from torch import Tensor, nn

CONFIG, METRICS, CHECKPOINT, BEST = "config.yaml", "metrics.jsonl", "model.safetensors", "best.safetensors"
Record = dict[str, float]


def new_folder(path: Path) -> Path:
    """Make the run folder; it may exist if it is empty.

    Raises:
        FileExistsError: if something is in it already, or it is a file.
        OSError: if it cannot be made.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists and is not an empty folder; choose another with --out, or remove it")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"cannot make the run folder {path}: {error.strerror}; choose another with --out") from error
    return path


def save_config(folder: Path, options: Mapping[str, Any]) -> None:
    """Write config.yaml: all options of the run, flat."""
    plain = json.loads(json.dumps(options, default=str))  # tuples to lists, paths to strings
    write_whole(folder / CONFIG, lambda path: path.write_text(yaml.safe_dump(plain, sort_keys=False)))


def read_config(folder: Path) -> dict[str, Any]:
    """The options in config.yaml.

    Raises:
        FileNotFoundError: if the folder holds no run.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is no run folder: it has no {CONFIG}")
    return yaml.safe_load(path.read_text())


def append_metrics(folder: Path, record: Record) -> None:
    """Add one line to metrics.jsonl."""
    path = folder / METRICS
    try:
        with path.open("a") as file:
            file.write(json.dumps(record) + "\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def write_metrics(folder: Path, records: Sequence[Record]) -> None:
    """Write metrics.jsonl anew, with these lines and no others."""
    lines = "".join(json.dumps(record) + "\n" for record in records)
    write_whole(folder / METRICS, lambda path: path.write_text(lines))


def read_metrics(folder: Path) -> list[Record]:
    """All lines of metrics.jsonl."""
    return [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write weights as safetensors."""
    data = save({name: value.detach().cpu().contiguous() for name, value in weights.items()})
    write_whole(path, lambda part: part.write_bytes(data))


def load_checkpoint(folder: Path, model: nn.Module) -> None:
    """Read the weights at the end of training back into the model, without unpickling anything."""
    model.load_state_dict(load_file(folder / CHECKPOINT))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all: to a temporary name, flushed to disk, then renamed.

    Raises:
        OSError: naming the file, if it cannot be written; what was there before is still there.
    """
    temporary = path.with_name(f".{path.name}.part")
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


def cannot_write(path: Path, error: OSError) -> OSError:
    """The error that says which path could not be written, and why."""
    return OSError(error.errno, f"cannot write: {error.strerror or error}", str(path))
