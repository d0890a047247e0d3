"""The training loop: Lightning Fabric has the devices, the model has its phases."""

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from lightning_fabric import Fabric
from rich.console import Console

from ..data import Dataset, Split
from ..models import GenerativeModel
from ..utils.threads import torch_threads
from . import run_dir as files
from .checkpoint_manager import CheckpointManager
from .config import TrainConfig
from .devices import data_parallel_context, make_fabric
from .monitoring.epoch_recorder import EpochRecorder
from .monitoring.loggers import open_logger
from .monitoring.progress import ProgressDisplay
from .phase_optimizer import PhaseLossModule, PhaseOptimizer
from .run_dir import Record
from .signals import StopSignals
from .state import TrainingState

TEST_EXAMPLES = 2048  # watched after each epoch
RESUME_INVARIANTS = ("epochs", "batch_size", "lr", "schedule", "seed", "precision")  # a resumed run must share them


class TrainingResult(NamedTuple):
    """A finished training: its run folder, a record of each epoch, and whether this process is to report."""

    folder: Path
    history: list[Record]
    leads: bool = True
    """Whether this process is the first of those that trained, which alone writes files."""


def fit(
    model: GenerativeModel,
    data: Dataset,
    config: TrainConfig,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> TrainingResult:
    """Train a model and leave config.yaml, metrics.jsonl and model.safetensors in the run folder.

    On the way there are checkpoints in its folder `checkpoints`; best.safetensors holds the weights that had the
    smallest loss on test data.

    Args:
        model: trained in place, each batch through each of its phases.
        data: trained on `data.train`; the terms of `data.test` are logged after each epoch and steer nothing.
        config: how to train.
        name: of the model, for the folder and config.yaml; None: its class's.
        options: further entries of config.yaml, such as the model's own.
        resume: go on with the run in `config.out` from its newest checkpoint, with the same data and options and a
            model of the same shape; on a CPU it ends bit for bit as if it had never stopped.

    Raises:
        FileExistsError: if the run folder is there and not empty.
        TypeError, ValueError: for options outside what `TrainConfig` says, more examples a batch than there are, or
            labels that the model has no room for; if a run is resumed with other options than it was begun with.
        Interrupted: on Ctrl-C or SIGTERM, after the step under way, with the state saved.
        Diverged: if a loss is not finite or 10⁶ times what it was at first.
        OSError: naming what could not be written; the checkpoint before is kept.
    """
    config.check()
    data.train.check_batch(config.batch_size)
    if model.num_classes is not None:
        data.train.check_labels(model.num_classes)
    if config.figures_every is not None and data.kind == "rows":
        raise ValueError(f"figures_every is an option of images and point clouds; got {data.name}, which has rows")
    epochs = config.epochs or data.epochs
    config = dataclasses.replace(config, epochs=epochs)
    fabric = make_fabric(model, config)
    folder = _folder_to_resume(config) if resume else None
    if folder is None and fabric.is_global_zero:
        folder = _new_folder(model, data, config, name, options or {})
    fabric.launch()
    run = cast(Path, fabric.broadcast(folder))  # of the first process
    fabric.seed_everything(config.seed, verbose=False)
    console = Console(stderr=True, quiet=not fabric.is_global_zero)
    with torch_threads(config.threads), StopSignals() as interrupts:
        state, test = initialize(model, data.train, config, fabric), data.test.to(fabric.device)
        keeper = CheckpointManager(state, run, interrupts)
        if resume:
            console.print(keeper.resume(), highlight=False, soft_wrap=True)
        try:
            logger = config.logger if fabric.is_global_zero else None
            with ProgressDisplay(console, state) as watch, open_logger(logger, run, state.epoch) as log:
                _train(state, test, keeper, watch, EpochRecorder(state, data, run, log))
        except OSError as error:
            raise OSError(f"{error}; {keeper.kept()}") from error
    return TrainingResult(run, state.history, fabric.is_global_zero)


def initialize(model: GenerativeModel, train: Split, config: TrainConfig, fabric: Fabric) -> TrainingState:
    """A training before its first step, on its device; `config.epochs` is to be said."""
    if config.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    wrapped = fabric.setup_module(PhaseLossModule(model.train()))  # it may have been evaluated before
    steps = (config.epochs or 0) * (len(train) // config.batch_size)
    context = data_parallel_context(fabric)
    movers = [PhaseOptimizer(fabric, wrapped, phase, config, steps, context) for phase in model.phases()]
    return TrainingState(model, movers, train.to(fabric.device), config, context)


def _train(
    state: TrainingState, test: Split, keeper: CheckpointManager, watch: ProgressDisplay, records: EpochRecorder
) -> None:
    """The loop, from where the state is to the end."""
    while not state.finished:
        for batch in state.batches():
            state.advance(batch)
            watch.step()
            if state.step < state.steps:
                keeper.after_step()
        keeper.look()
        record = state.record()
        state.finish_epoch({**record, **_held_out(state, test)})
        watch.epoch()
        records.epoch()
        keeper.after_step()
    keeper.finish()


def _held_out(state: TrainingState, test: Split) -> Record:
    """The terms of each phase on test examples."""
    batch = test.spread(TEST_EXAMPLES)
    state.model.eval()
    terms = {f"test/{term}": value for mover in state.movers for term, value in mover.look(batch).items()}
    state.model.train()
    return terms


def _new_folder(
    model: GenerativeModel, data: Dataset, config: TrainConfig, name: str | None, options: Mapping[str, Any]
) -> Path:
    """The folder of a new run, with its config.yaml."""
    name = name or type(model).__name__.lower()
    run = files.new_folder(config.out or Path("runs") / f"{name}-{data.name}-{time.strftime('%Y%m%d-%H%M%S')}")
    files.save_config(
        run,
        {"model": name, "data": data.name, "shape": data.shape, **options, **dataclasses.asdict(config), "out": run},
    )
    return run


def _folder_to_resume(config: TrainConfig) -> Path:
    """The folder of the run to go on with, begun with the same options."""
    if config.out is None:
        raise ValueError("resume needs the run's folder; got out=None")
    begun = files.read_config(config.out)
    for option in RESUME_INVARIANTS:
        if begun[option] != getattr(config, option):
            raise ValueError(f"{option} of the run in {config.out} is {begun[option]}; got {getattr(config, option)}")
    return config.out
