"""The command `fastlatent`."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NoReturn, TypeVar, Union

import torch
import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from . import data as datasets
from .config import show_config
from .models import CONFIGURATIONS
from .models.configurations import Configuration
from .train.config import TrainConfig

M = TypeVar("M", bound=Configuration)


@dataclass(frozen=True)
class Run(Generic[M]):
    """Train a model, measure it on test data, and write its report."""

    model: M
    training: TrainConfig = field(default_factory=TrainConfig)
    data: Literal["digits", "mnist", "fashion-mnist"] = "digits"
    """Data set; digits need no file."""
    data_dir: Path | None = None
    """Folder of the data's files; None: the environment's FASTLATENT_DATA, else ~/.cache/fastlatent."""
    labels_per_class: int | None = None
    """Images of each class that keep their label in training, the others' being hidden; None: all."""


@dataclass(frozen=True)
class Doctor:
    """Print what this machine has, and which backends serve."""


@dataclass(frozen=True)
class Models:
    """List the models that `train` knows."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    What the user got wrong, or a file that cannot be read or written, ends in one line on stderr and exit code 2;
    Ctrl-C in exit code 130.
    """
    command = tyro.cli(
        _commands(),
        prog="fastlatent",
        description="Train autoencoders whose codes follow a prior, measure them, and write a report.",
        args=arguments,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes),
    )
    try:
        match command:
            case Doctor():
                show_config()
            case Models():
                _list_models()
            case _:
                _train(command.run)
    except OSError as error:
        _stop(2, f"error: {error}")
    except KeyboardInterrupt:
        _stop(130, "stopped")


def _commands() -> Any:
    """What tyro parses: train MODEL, a subcommand for each configuration; models; doctor."""
    runs = [
        Annotated[Run[made], tyro.conf.subcommand(name, default=Run(made()), description=_summary(made))]  # type: ignore[valid-type]
        for name, made in CONFIGURATIONS.items()
    ]
    train = make_dataclass("Train", [("run", Union[tuple(runs)])])  # noqa: UP007
    return Union[  # noqa: UP007
        Annotated[train, tyro.conf.subcommand("train", description="Train a model and write its report.")],
        Annotated[Models, tyro.conf.subcommand("models")],
        Annotated[Doctor, tyro.conf.subcommand("doctor")],
    ]


def _summary(configuration: type[Configuration]) -> str:
    return f"{(configuration.__doc__ or '').splitlines()[0]} {configuration.source}."


def _list_models() -> None:
    table = Table("name", "model", "source", box=box.SIMPLE)
    for name, made in CONFIGURATIONS.items():
        table.add_row(name, (made.__doc__ or "").splitlines()[0], made.source)
    Console().print(table)


def _train(run: Run) -> None:
    try:
        run.training.check()
        data = datasets.load(run.data, run.data_dir)
        if run.labels_per_class is not None:
            data = replace(data, train=data.train.keep_labels(run.labels_per_class))
        torch.manual_seed(run.training.seed)
        model = run.model.build(data.shape)
        data.train.check_batch(run.training.batch_size)
    except (ValueError, TypeError) as error:
        _stop(2, f"error: {error}")
    from .evaluate import write_report
    from .evaluate.report import grouped
    from .train.loop import fit

    name = next(name for name, made in CONFIGURATIONS.items() if type(run.model) is made)
    options = {**asdict(run.model), "labels_per_class": run.labels_per_class}
    done = fit(model, data, run.training, name=name, options=options)
    numbers = write_report(model, data, done)
    table = Table(box=box.SIMPLE, title=f"{name} on {data.name}, test images (smaller is better)")
    table.add_column("")
    table.add_column("value", justify="right")
    for group, members in grouped(numbers):
        table.add_section()
        table.add_row(f"[bold]{group}", "")
        for number in members:
            table.add_row(f"  {number.of}", f"{number.value:.4f}", style="bold green" if number.ours else None)
    Console().print(table)
    Console().print(f"Report: {done.folder / 'report.html'}", soft_wrap=True)


def _stop(code: int, message: str) -> NoReturn:
    """End with one line on stderr."""
    print(f"fastlatent: {message}", file=sys.stderr)
    sys.exit(code)
