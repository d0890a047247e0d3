"""Loggers beside metrics.jsonl: TensorBoard, Weights & Biases, MLflow, where they are installed."""

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
PACKAGES = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",), "mlflow": ("mlflow",)}  # any will do


def check_installed(name: LoggerName) -> None:
    """Require a logger's package.

    Raises:
        ValueError: saying what to install.
    """
    if not any(importlib.util.find_spec(package) for package in PACKAGES[name]):
        raise ValueError(f"logger {name!r} is not installed here: pip install {PACKAGES[name][0]}")


def open_logger(name: LoggerName | None, run: Path, epoch: int) -> AbstractContextManager[Log]:
    """A function that logs the record of an epoch; the logger is open as long as the context.

    Args:
        name: of the logger; None: a function that does nothing.
        run: the run folder.
        epoch: the first that will be logged; those from it on that are there already are replaced.
    """
    loggers = {"tensorboard": _tensorboard, "wandb": _wandb, "mlflow": _mlflow}
    return nullcontext(lambda record: None) if name is None else loggers[name](run, epoch)


@contextmanager
def _tensorboard(run: Path, epoch: int) -> Iterator[Log]:
    """Events in the run folder's folder `tensorboard`."""
    from lightning_fabric.loggers import TensorBoardLogger

    own = f".from-epoch-{epoch}"  # files have the time in seconds as their name, and a resumed run gets one of its own
    logger = TensorBoardLogger(run, name="tensorboard", version="", purge_step=epoch, filename_suffix=own)

    def log(record: Record) -> None:
        logger.log_metrics(record, int(record["epoch"]))
        logger.save()  # to the disk, that nothing is lost if the process is killed

    try:
        yield log
    finally:
        logger.finalize("done")


@contextmanager
def _wandb(run: Path, epoch: int) -> Iterator[Log]:
    """A run of project `fastlatent` of the run folder's name."""
    import wandb

    identity = _identity(run, "wandb") or _identify(run, "wandb", uuid.uuid4().hex)
    options = read_config(run)
    with wandb.init(
        project="fastlatent", name=run.name, id=identity, resume="allow", dir=run, config=options
    ) as session:
        yield lambda record: session.log(record, step=int(record["epoch"]))


@contextmanager
def _mlflow(run: Path, epoch: int) -> Iterator[Log]:
    """A run of the run folder's name, where MLflow's own settings say."""
    import mlflow

    with mlflow.start_run(run_id=_identity(run, "mlflow"), run_name=run.name) as session:
        _identify(run, "mlflow", session.info.run_id)
        mlflow.log_params(read_config(run))
        yield lambda record: mlflow.log_metrics(record, step=int(record["epoch"]))


def _identity(run: Path, name: str) -> str | None:
    """What the logger knows the run by, if it does: a run that is resumed is the same run there."""
    path = run / f"{name}.id"
    return path.read_text() if path.exists() else None


def _identify(run: Path, name: str, identity: str) -> str:
    atomic_write(run / f"{name}.id", lambda path: path.write_text(identity))
    return identity
