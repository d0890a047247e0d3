"""The command `fastlatent`: each subcommand is a dataclass of its options with a method `run`."""

import shlex
from collections.abc import Sequence
from typing import Annotated, Any, Union

import tyro
from tyro.conf import subcommand

from ..train import DivergenceError, TrainingInterrupted
from ..utils.run_format import RunFileError
from .doctor import Doctor
from .evaluate import Evaluate
from .exits import exit_with
from .export import Export
from .hub import Pull, Push
from .models import Models
from .reproduce import Reproduce
from .sweep import Sweep
from .train import Train

COMMANDS: dict[str, type] = {
    "train": Train,
    "sweep": Sweep,
    "evaluate": Evaluate,
    "export": Export,
    "push": Push,
    "pull": Pull,
    "reproduce": Reproduce,
    "models": Models,
    "doctor": Doctor,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Invalid options, files that cannot be read or written, damaged runs, runs of another format, divergence and missing
    packages exit with one line on stderr and code 2; SIGINT exits with code 130, SIGTERM with 143.

    Args:
        arguments: command line; None: that of the process.
    """
    subcommands: Any = Union[tuple(Annotated[command, subcommand(name)] for name, command in COMMANDS.items())]  # noqa: UP007
    command = tyro.cli(
        subcommands,
        prog="fastlatent",
        description="Train autoencoders whose codes follow a prior, evaluate them, write reports.",
        args=arguments,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes),
    )
    try:
        command.run()
    except (OSError, DivergenceError, ModuleNotFoundError, RunFileError) as error:
        exit_with(2, f"error: {error}")
    except TrainingInterrupted as interruption:
        command_line = f"fastlatent train --resume {shlex.quote(str(interruption.run_dir))}"
        exit_with(128 + interruption.signal, f"{interruption}; resume with: {command_line}")
    except KeyboardInterrupt:
        exit_with(130, "interrupted")
