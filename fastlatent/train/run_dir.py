"""The run folder and its files."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from ..utils.atomic import atomic_write, cannot_write, part
from ..utils.run_format import RUN_FORMAT, RunFileError, check_run_format

CONFIG, METRICS, WEIGHTS, BEST = "config.yaml", "metrics.jsonl", "model.safetensors", "best.safetensors"
REQUIRED_OPTIONS = ("model", "data", "shape")  # of config.yaml
Record = dict[str, float]
T = TypeVar("T")


def create_run_dir(path: Path) -> Path:
    """Create the run folder; an existing folder without complete files is accepted.

    Raises:
        FileExistsError: if the folder is not empty, or is a file.
        OSError: if the folder cannot be created.
    """
    partial_config = part(path / CONFIG)  # of a run that was killed before its first step
    if path.exists() and (not path.is_dir() or any(file != partial_config for file in path.iterdir())):
        raise FileExistsError(f"{path} exists and is not an empty folder; choose another with --run-dir, or remove it")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"cannot create the run folder {path}: {error.strerror}"
        raise OSError(f"{reason}; choose another with --run-dir") from error
    return path


def save_config(run_dir: Path, options: Mapping[str, Any]) -> None:
    """Write config.yaml: the format version and all options of the run, flat."""
    config = {"format": RUN_FORMAT, **options}
    plain = json.loads(json.dumps(config, default=str))  # tuples to lists, paths to strings
    atomic_write(run_dir / CONFIG, lambda path: path.write_text(yaml.safe_dump(plain, sort_keys=False)))


def read_config(run_dir: Path) -> dict[str, Any]:
    """Return the options in config.yaml.

    Raises:
        FileNotFoundError: if the folder holds no run.
        RunFormatError: if the run has another format.
        RunFileError: if the file is damaged.
    """
    path = run_dir / CONFIG
    if not path.is_file():
        raise FileNotFoundError(f"{run_dir} is not a run folder: it has no {CONFIG}")
    config = parse_file(path, yaml.safe_load)
    if not isinstance(config, Mapping):
        raise RunFileError(f"{path} is damaged: it has no options")
    check_run_format(run_dir, config)
    require_options(path, config, REQUIRED_OPTIONS)
    return {option: value for option, value in config.items() if option != "format"}


def require_options(path: Path, config: Mapping[str, Any], names: Sequence[str]) -> None:
    """Require options in a config.yaml.

    Raises:
        RunFileError: naming the file and the missing options.
    """
    if missing := [name for name in names if name not in config]:
        raise RunFileError(f"{path} is damaged: it has no {', '.join(missing)}")


def append_metrics(run_dir: Path, record: Record) -> None:
    """Append one line to metrics.jsonl."""
    path = run_dir / METRICS
    try:
        with path.open("a") as file:
            file.write(json.dumps(record) + "\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def write_metrics(run_dir: Path, records: Sequence[Record]) -> None:
    """Replace metrics.jsonl by these lines."""
    lines = "".join(json.dumps(record) + "\n" for record in records)
    atomic_write(run_dir / METRICS, lambda path: path.write_text(lines))


def read_metrics(run_dir: Path) -> list[Record]:
    """Return the lines of metrics.jsonl, one for each epoch.

    Raises:
        FileNotFoundError: if there is none.
        RunFileError: if the file is damaged.
    """
    return parse_file(run_dir / METRICS, lambda text: [json.loads(line) for line in text.splitlines()])


def parse_file(path: Path, parse: Callable[[str], T]) -> T:
    """Parse a text file of a run folder.

    Args:
        path: path of the file.
        parse: function of its text that raises ValueError or YAMLError.

    Raises:
        RunFileError: in one line that names the file, if it cannot be parsed.
    """
    try:
        return parse(path.read_text())
    except (ValueError, yaml.YAMLError) as error:
        raise RunFileError(f"{path} is damaged: {' '.join(str(error).split())}") from error


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write weights as safetensors."""
    data = save({name: value.detach().cpu().contiguous() for name, value in weights.items()})
    atomic_write(path, lambda part: part.write_bytes(data))


def load_checkpoint(run_dir: Path, model: nn.Module) -> None:
    """Load the final weights of a run into a model; nothing is unpickled.

    Args:
        run_dir: run folder.
        model: model of the same architecture, changed in place.

    Raises:
        FileNotFoundError: if the folder holds no run, or no weights.
        RunFormatError: if the run has another format.
        RunFileError: if a file is damaged, or has the weights of another model.
    """
    read_config(run_dir)
    if not (run_dir / WEIGHTS).is_file():
        raise FileNotFoundError(f"{run_dir} holds no trained model: it has no {WEIGHTS}")
    load_weights(run_dir / WEIGHTS, model)


def load_weights(path: Path, model: nn.Module) -> None:
    """Load weights from safetensors into the model.

    Raises:
        RunFileError: if the file is damaged, or has the weights of another model.
    """
    try:
        model.load_state_dict(load_file(path))
    except SafetensorError as error:
        raise RunFileError(f"{path} is damaged: {error}") from error
    except RuntimeError as error:
        raise RunFileError(f"{path} has the weights of another model: {' '.join(str(error).split())}") from error
