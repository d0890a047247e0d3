"""The run folder and the files in it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import load_file, save
from torch import Tensor, nn

from ..utils.atomic import atomic_write as atomic_write
from ..utils.atomic import cannot_write, part

CONFIG, METRICS, WEIGHTS, BEST = "config.yaml", "metrics.jsonl", "model.safetensors", "best.safetensors"
Record = dict[str, float]


def new_folder(path: Path) -> Path:
    """Make the run folder; it may exist if nothing whole is in it.

    Raises:
        FileExistsError: if something is in it already, or it is a file.
        OSError: if it cannot be made.
    """
    unfinished = part(path / CONFIG)  # of a run that was killed before it began
    if path.exists() and (not path.is_dir() or any(file != unfinished for file in path.iterdir())):
        raise FileExistsError(f"{path} exists and is not an empty folder; choose another with --out, or remove it")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"cannot make the run folder {path}: {error.strerror}; choose another with --out") from error
    return path


def save_config(folder: Path, options: Mapping[str, Any]) -> None:
    """Write config.yaml: all options of the run, flat."""
    plain = json.loads(json.dumps(options, default=str))  # tuples to lists, paths to strings
    atomic_write(folder / CONFIG, lambda path: path.write_text(yaml.safe_dump(plain, sort_keys=False)))


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
    atomic_write(folder / METRICS, lambda path: path.write_text(lines))


def read_metrics(folder: Path) -> list[Record]:
    """All lines of metrics.jsonl."""
    return [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write weights as safetensors."""
    data = save({name: value.detach().cpu().contiguous() for name, value in weights.items()})
    atomic_write(path, lambda part: part.write_bytes(data))


def load_checkpoint(folder: Path, model: nn.Module) -> None:
    """Read the weights at the end of training back into the model, without unpickling anything.

    Raises:
        FileNotFoundError: if there are none.
    """
    if not (folder / WEIGHTS).is_file():
        raise FileNotFoundError(f"{folder} holds no trained model: it has no {WEIGHTS}")
    model.load_state_dict(load_file(folder / WEIGHTS))
