"""fastlatent train MODEL, and fastlatent train --resume RUN."""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

from rich.console import Console
from tyro.conf import DisallowNone, subcommand

from ..experiments.run import Run, default_run, read_run
from ..models import MODEL_CONFIGS
from ..models.configs import ModelConfig
from ..train import TrainingInterrupted
from .exits import wrong_options
from .metrics_table import print_metrics


def _model(name: str, made: type[ModelConfig]) -> Any:
    """A subcommand: the run of a model, with its defaults."""
    summary = f"{(made.__doc__ or '').splitlines()[0]} {made.source}."
    return Annotated[Run[made], subcommand(name, default=default_run(made), description=summary)]  # type: ignore[valid-type]


if TYPE_CHECKING:
    AnyRun = Run[Any] | None
else:
    _models = [_model(name, made) for name, made in MODEL_CONFIGS.items()]
    _models.append(None)  # what --resume leaves it at; the help has no word for it
    AnyRun = Annotated[Union[tuple(_models)], DisallowNone]  # noqa: UP007


@dataclass(frozen=True)
class Train:
    """Train a model and write its report."""

    what: AnyRun = None
    resume: Path | None = None
    """Folder of a run that was stopped: go on with it from its newest checkpoint. It needs no other option."""

    def run(self) -> None:
        """Train, measure, print the numbers and where the report is."""
        with wrong_options():
            if (self.what is None) == (self.resume is None):
                raise ValueError("train takes a model (`fastlatent models` lists them) or --resume RUN, one of them")
            run = self.what or read_run(self.resume or Path())
        train(run, resume=self.what is None)


def train(run: Run, resume: bool = False) -> None:
    """Train, or go on with a training, and measure; print the numbers and where the report is."""
    with wrong_options():
        model, data = run.prepare()
    from ..evaluate import write_report
    from ..train.trainer import fit

    done = fit(model, data, run.training, name=run.name, options=run.options(), resume=resume)
    if not done.leads:
        return
    try:
        metrics = write_report(model, data, done).metrics
    except KeyboardInterrupt as stopped:
        raise TrainingInterrupted(
            "stopped after the training, before its report", done.folder, signal.SIGINT
        ) from stopped
    print_metrics(f"{run.name} on {data.name}, test {data.kind}", metrics)
    Console().print(f"Report: {done.folder / 'report.html'}", soft_wrap=True)
