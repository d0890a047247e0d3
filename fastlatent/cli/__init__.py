"""The command `fastlatent`: each command is a dataclass of its options with a method `run`."""

import shlex
from collections.abc import Sequence
from typing import Annotated, Any, Union

import tyro
from tyro.conf import subcommand

from ..train import DivergenceError, TrainingInterrupted
from .doctor import Doctor
from .evaluate import Evaluate
from .exits import stop
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

    What the user got wrong, a file that cannot be read or written, a loss that is not finite or a package that is not
    installed ends in one line on stderr and exit code 2; Ctrl-C in exit code 130, SIGTERM in 143.
    """
    parsed: Any = Union[tuple(Annotated[made, subcommand(name)] for name, made in COMMANDS.items())]  # noqa: UP007
    command = tyro.cli(
        parsed,
        prog="fastlatent",
        description="Train autoencoders whose codes follow a prior, measure them, and write a report.",
        args=arguments,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes),
    )
    try:
        command.run()
    except (OSError, DivergenceError, ModuleNotFoundError) as error:
        stop(2, f"error: {error}")
    except TrainingInterrupted as stopped:
        go_on = f"fastlatent train --resume {shlex.quote(str(stopped.run))}"
        stop(128 + stopped.signal, f"{stopped}; go on with: {go_on}")
    except KeyboardInterrupt:
        stop(130, "stopped")
