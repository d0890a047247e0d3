"""The trainer, top-down: `fit`, the epoch loop, and the step (`TrainingState.train_step`).

Lightning Fabric provides devices, precision and processes; the model provides its phases, each a loss with parameters.
"""

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

TEST_EXAMPLES = 2048  # number of test examples evaluated after each epoch
RESUME_INVARIANTS = ("epochs", "batch_size", "lr", "schedule", "seed", "precision")  # equal in a run and its resumption


class TrainingResult(NamedTuple):
    """A finished training.

    Attributes:
        run_dir: run folder.
        history: a record of each epoch.
        is_rank_zero: whether this process has rank zero, which writes the files.
    """

    run_dir: Path
    history: list[Record]
    is_rank_zero: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """Options of model, data and training, from config.yaml."""
        return files.read_config(self.run_dir)


def fit(
    model: GenerativeModel,
    data: Dataset,
    config: TrainConfig,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> TrainingResult:
    """Train a model, and write config.yaml, metrics.jsonl and model.safetensors to the run folder.

    Checkpoints are written to the subfolder `checkpoints`; best.safetensors holds the weights with the smallest loss on
    test data.

    Args:
        model: model to train in place; each batch passes through each of its phases.
        data: data set: `data.train` to train on; the terms on `data.test` are logged after each epoch only.
        config: options of the trainer.
        name: name of the model in the run folder's name and in config.yaml; None: the name of its class.
        options: further entries of config.yaml, such as the options of the model.
        resume: resume the run in `config.run_dir` from its newest checkpoint, with the same data and options and a
            model of the same shape; on a CPU the result is bitwise identical to an uninterrupted run.

    Returns:
        Run folder and history.

    Raises:
        FileExistsError: if the run folder exists and is not empty.
        TypeError, ValueError: for options outside the ranges of `TrainConfig`, a batch larger than the data set, labels
            beyond the model's classes, or other options than those of the run to resume.
        TrainingInterrupted: on SIGINT or SIGTERM, after the current step and a checkpoint.
        DivergenceError: if a loss is not finite, or exceeds 10⁶ times its first value (10⁶ at least).
        OSError: naming the file that cannot be written; the previous checkpoint is kept.
    """
    _check(model, data, config)
    config = dataclasses.replace(config, epochs=config.epochs or data.epochs)
    fabric = make_fabric(model, config)
    run_dir = _find_run(config) if resume else None
    if run_dir is None and fabric.is_global_zero:
        run_dir = _create_run(model, data, config, name, options or {})
    fabric.launch()
    run_dir = cast(Path, fabric.broadcast(run_dir))  # from rank zero
    fabric.seed_everything(config.seed, verbose=False)
    console = Console(stderr=True, quiet=not fabric.is_global_zero)
    with torch_threads(config.threads), StopSignals() as signals:
        state = initialize(model, data.train, config, fabric)
        checkpoints = CheckpointManager(state, run_dir, signals)
        if resume:
            console.print(checkpoints.resume(), highlight=False, soft_wrap=True)
        logger = open_logger(config.logger if fabric.is_global_zero else None, run_dir, state.epoch)
        try:
            with ProgressDisplay(console, state) as progress, logger as log:
                recorder = EpochRecorder(state, data, run_dir, log)
                _train(state, data.test.to(fabric.device), checkpoints, progress, recorder)
        except OSError as error:
            raise OSError(f"{error}; {checkpoints.last_checkpoint()}") from error
    return TrainingResult(run_dir, state.history, fabric.is_global_zero)


def _train(
    state: TrainingState,
    test: Split,
    checkpoints: CheckpointManager,
    progress: ProgressDisplay,
    recorder: EpochRecorder,
) -> None:
    """Run the remaining epochs."""
    while not state.is_finished:
        _train_epoch(state, checkpoints, progress)
        state.finish_epoch({**state.record(), **_evaluate(state, test)})
        progress.update_epoch()
        recorder.record_epoch()
        checkpoints.after_step()
    checkpoints.finish()


def _train_epoch(state: TrainingState, checkpoints: CheckpointManager, progress: ProgressDisplay) -> None:
    """Run the remaining steps of the epoch."""
    for batch in state.batches():
        state.train_step(batch)
        progress.update_step()
        if state.step < state.steps_per_epoch:  # after the last step the epoch is recorded first
            checkpoints.after_step()
    checkpoints.check_losses()


def _evaluate(state: TrainingState, test: Split) -> Record:
    """Return the loss terms of each phase on test examples."""
    batch = test.evenly_spaced(TEST_EXAMPLES)
    state.model.eval()
    terms = {name: value for phase in state.phases for name, value in phase.evaluate(batch).items()}
    state.model.train()
    return {f"test/{name}": value for name, value in terms.items()}


def initialize(model: GenerativeModel, train: Split, config: TrainConfig, fabric: Fabric) -> TrainingState:
    """Build the state before the first step, on the device.

    Args:
        model: model to train in place.
        train: training examples.
        config: options of the trainer; `epochs` must be a number.
        fabric: Fabric of the training, launched.
    """
    if config.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    loss_module = fabric.setup_module(PhaseLossModule(model.train()))  # the model may be in evaluation mode
    steps = (config.epochs or 0) * (len(train) // config.batch_size)
    context = data_parallel_context(fabric)
    phases = [PhaseOptimizer(fabric, loss_module, phase, config, steps, context) for phase in model.phases()]
    return TrainingState(model, phases, train.to(fabric.device), config, context)


def _check(model: GenerativeModel, data: Dataset, config: TrainConfig) -> None:
    """Require options, data and model that fit together."""
    config.check()
    data.train.check_batch(config.batch_size)
    if model.num_classes is not None:
        data.train.check_labels(model.num_classes)
    if config.figures_every is not None and data.kind == "rows":
        raise ValueError(f"figures_every is an option of images and point clouds; got {data.name}, which has rows")


def _create_run(
    model: GenerativeModel, data: Dataset, config: TrainConfig, name: str | None, options: Mapping[str, Any]
) -> Path:
    """Create the run folder with its config.yaml."""
    name = name or type(model).__name__.lower()
    default = Path("runs") / f"{name}-{data.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    run_dir = files.create_run_dir(config.run_dir or default)
    config = dataclasses.replace(config, run_dir=run_dir)
    identity = {"model": name, "data": data.name, "shape": data.shape}
    files.save_config(run_dir, {**identity, **options, **dataclasses.asdict(config)})
    return run_dir


def _find_run(config: TrainConfig) -> Path:
    """Return the folder of the run to resume; its options must agree with `RESUME_INVARIANTS`."""
    if config.run_dir is None:
        raise ValueError("resume needs the folder of a run; got run_dir=None")
    options = files.read_config(config.run_dir)
    files.require_options(config.run_dir / files.CONFIG, options, RESUME_INVARIANTS)
    for option in RESUME_INVARIANTS:
        if options[option] != getattr(config, option):
            subject = f"{option} of the run in {config.run_dir}"
            raise ValueError(f"{subject} is {options[option]}; got {getattr(config, option)}")
    return config.run_dir
