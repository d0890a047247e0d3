"""The command `fastlatent`: each command is a dataclass of its options with a method `run`."""

import signal
from collections.abc import Sequence
from typing import Annotated, Any, Union

import tyro
from tyro.conf import subcommand

from .doctor import Doctor
from .models import Models
from .stop import stop
from .sweep import Sweep
from .train import Train

COMMANDS: dict[str, type] = {
    "train": Train,
    "sweep": Sweep,
    "models": Models,
    "doctor": Doctor,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    What the user got wrong, or a file that cannot be read or written, ends in one line on stderr and exit code 2;
    Ctrl-C in exit code 130, SIGTERM in 143.
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
    except OSError as error:
        stop(2, f"error: {error}")
    except KeyboardInterrupt as stopped:
        stop(128 + getattr(stopped, "signal", signal.SIGINT), str(stopped) or "stopped")
