"""What is told of each epoch: a line of metrics.jsonl, a record for a logger, figures now and then."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...data import Dataset
from .. import run_dir as files
from .loggers import Log

if TYPE_CHECKING:
    from ..state import TrainingState

FIGURES = "figures"  # in the run folder


class EpochRecorder:
    """Writes the record of each epoch, if this process is the first.

    Args:
        state: of the training.
        data: whose test examples are drawn.
        run: the run folder.
        log: of the logger.
    """

    def __init__(self, state: "TrainingState", data: Dataset, run: Path, log: Log) -> None:
        self.state, self.data, self.run, self.log = state, data, run, log

    def epoch(self) -> None:
        """An epoch is done, the last of the state's history.

        Raises:
            OSError: naming the path, if a file cannot be written.
        """
        if self.state.context.rank > 0:
            return
        record = self.state.history[-1]
        files.append_metrics(self.run, record)
        self.log(record)
        every = self.state.config.figures_every
        if every is not None and record["epoch"] % every == 0:
            from ...evaluate.report.training_figures import draw_halfway  # only now: matplotlib takes long to import

            draw_halfway(self.state.model, self.data, self.run / FIGURES, f"epoch-{int(record['epoch']):05d}")
