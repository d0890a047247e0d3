"""The run folder and the files in it."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import load_file, save_file
from torch import nn

CONFIG, METRICS, CHECKPOINT = "config.yaml", "metrics.jsonl", "model.safetensors"


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


def append_metrics(folder: Path, record: Mapping[str, float]) -> None:
    """Add one line to metrics.jsonl."""
    with (folder / METRICS).open("a") as file:
        file.write(json.dumps(record) + "\n")


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """All lines of metrics.jsonl."""
    return [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]


def save_checkpoint(folder: Path, model: nn.Module) -> None:
    """Write the model's weights to model.safetensors."""
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    write_whole(folder / CHECKPOINT, lambda path: save_file(weights, path))


def load_checkpoint(folder: Path, model: nn.Module) -> None:
    """Read the model's weights back, without unpickling anything."""
    model.load_state_dict(load_file(folder / CHECKPOINT))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all: to a temporary name, flushed to disk, then renamed."""
    temporary = path.with_name(f".{path.name}.part")
    write(temporary)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
