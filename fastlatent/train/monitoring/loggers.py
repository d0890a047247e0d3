"""Loggers in addition to metrics.jsonl: TensorBoard, Weights & Biases, MLflow."""

import importlib.util
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Literal

from ...utils.atomic import atomic_write
from ..run_dir import Record, read_config

LoggerName = Literal["tensorboard", "wandb", "mlflow"]
Log = Callable[[Record], object]
PACKAGES = {  # any one of them suffices
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
    "mlflow": ("mlflow",),
}


def check_installed(name: LoggerName) -> None:
    """Require the package of a logger.

    Raises:
        ValueError: naming the package to install.
    """
    if not any(importlib.util.find_spec(package) for package in PACKAGES[name]):
        raise ValueError(f"logger {name!r} is not installed here: pip install {PACKAGES[name][0]}")


def open_logger(name: LoggerName | None, run_dir: Path, epoch: int) -> AbstractContextManager[Log]:
    """Return a context with a function that logs the record of an epoch.

    Args:
        name: name of the logger; None: the function does nothing.
        run_dir: run folder.
        epoch: first epoch to log; existing entries from this epoch on are replaced.
    """
    loggers = {"tensorboard": _tensorboard, "wandb": _wandb, "mlflow": _mlflow}
    return nullcontext(lambda record: None) if name is None else loggers[name](run_dir, epoch)


@contextmanager
def _tensorboard(run_dir: Path, epoch: int) -> Iterator[Log]:
    """Write events to the folder `tensorboard` of the run."""
    from lightning_fabric.loggers import TensorBoardLogger

    suffix = f".from-epoch-{epoch}"  # event files are named by seconds, so a quickly resumed run would share a name
    logger = TensorBoardLogger(run_dir, name="tensorboard", version="", purge_step=epoch, filename_suffix=suffix)

    def log(record: Record) -> None:
        logger.log_metrics(record, int(record["epoch"]))
        logger.save()  # flush, so that a killed process loses nothing

    try:
        yield log
    finally:
        logger.finalize("done")


@contextmanager
def _wandb(run_dir: Path, epoch: int) -> Iterator[Log]:
    """Log to a run of the project `fastlatent`, named as the run folder."""
    import wandb

    run_id = _read_id(run_dir, "wandb") or _save_id(run_dir, "wandb", uuid.uuid4().hex)
    options = read_config(run_dir)
    with wandb.init(
        project="fastlatent", name=run_dir.name, id=run_id, resume="allow", dir=run_dir, config=options
    ) as session:
        yield lambda record: session.log(record, step=int(record["epoch"]))


@contextmanager
def _mlflow(run_dir: Path, epoch: int) -> Iterator[Log]:
    """Log to an MLflow run named as the run folder, in the location of MLflow's own settings."""
    import mlflow

    with mlflow.start_run(run_id=_read_id(run_dir, "mlflow"), run_name=run_dir.name) as session:
        _save_id(run_dir, "mlflow", session.info.run_id)
        mlflow.log_params(read_config(run_dir))
        yield lambda record: mlflow.log_metrics(record, step=int(record["epoch"]))


def _read_id(run_dir: Path, name: str) -> str | None:
    """Return the logger's identifier of the run, if there is one: a resumed run continues its entry in the logger."""
    path = run_dir / f"{name}.id"
    return path.read_text() if path.exists() else None


def _save_id(run_dir: Path, name: str, run_id: str) -> str:
    atomic_write(run_dir / f"{name}.id", lambda path: path.write_text(run_id))
    return run_id
