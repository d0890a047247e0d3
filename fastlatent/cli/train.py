"""Commands `fastlatent train MODEL` and `fastlatent train --resume RUN`."""

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
from .exits import exit_on_user_errors
from .metrics_table import print_metrics


def _subcommand(name: str, config: type[ModelConfig]) -> Any:
    """Return the subcommand of a model, with its default options."""
    summary = f"{(config.__doc__ or '').splitlines()[0]} {config.source}."
    return Annotated[Run[config], subcommand(name, default=default_run(config), description=summary)]  # type: ignore[valid-type]


if TYPE_CHECKING:
    ModelRun = Run[Any] | None
else:
    _subcommands = [_subcommand(name, config) for name, config in MODEL_CONFIGS.items()]
    _subcommands.append(None)  # the value with --resume; DisallowNone hides it in the help
    ModelRun = Annotated[Union[tuple(_subcommands)], DisallowNone]  # noqa: UP007


@dataclass(frozen=True)
class Train:
    """Train a model and write its report."""

    model_run: ModelRun = None
    resume: Path | None = None
    """Run folder of an interrupted run: resume it from its newest checkpoint, with its options."""

    def run(self) -> None:
        """Train, evaluate, and print the metrics and the path of the report."""
        with exit_on_user_errors():
            if (self.model_run is None) == (self.resume is None):
                raise ValueError("train takes either a model (see `fastlatent models`) or --resume RUN")
            run = self.model_run or read_run(self.resume or Path())
        train(run, resume=self.model_run is None)


def train(run: Run, resume: bool = False) -> None:
    """Train or resume a run, evaluate it, and print the metrics and the path of the report."""
    with exit_on_user_errors():
        model, data = run.prepare()
    from ..evaluate import write_report
    from ..train.trainer import fit

    result = fit(model, data, run.training, name=run.name, options=run.options(), resume=resume)
    if not result.is_rank_zero:
        return
    try:
        report = write_report(model, data, result)
    except KeyboardInterrupt as interruption:
        message = "stopped after the training, before its report"
        raise TrainingInterrupted(message, result.run_dir, signal.SIGINT) from interruption
    print_metrics(f"{run.name} on {data.name}, test {data.kind}", report.metrics)
    Console().print(f"Report: {result.run_dir / 'report.html'}", soft_wrap=True)
