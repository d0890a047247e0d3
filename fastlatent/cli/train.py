"""fastlatent train MODEL."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Union

from rich.console import Console
from tyro.conf import subcommand

from ..models import CONFIGURATIONS
from ..models.configurations import Configuration
from ..train.run import Run, default_run
from .numbers import print_numbers
from .stop import wrong_options


def _model(name: str, made: type[Configuration]) -> Any:
    """A subcommand: the run of a model, with its defaults."""
    summary = f"{(made.__doc__ or '').splitlines()[0]} {made.source}."
    return Annotated[Run[made], subcommand(name, default=default_run(made), description=summary)]  # type: ignore[valid-type]


if TYPE_CHECKING:
    AnyRun = Run[Any]
else:
    AnyRun = Union[tuple(_model(name, made) for name, made in CONFIGURATIONS.items())]  # noqa: UP007


@dataclass(frozen=True)
class Train:
    """Train a model and write its report."""

    what: AnyRun

    def run(self) -> None:
        """Train, measure, print the numbers and where the report is."""
        train(self.what)


def train(run: Run) -> None:
    """Train and measure, print the numbers and where the report is."""
    with wrong_options():
        model, data = run.prepare()
    from ..evaluate import write_report
    from ..train.loop import fit

    done = fit(model, data, run.training, name=run.name, options=run.options())
    numbers = write_report(model, data, done)
    print_numbers(f"{run.name} on {data.name}, test {data.kind} (smaller is better)", numbers)
    Console().print(f"Report: {done.folder / 'report.html'}", soft_wrap=True)
