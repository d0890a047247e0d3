"""Records of epochs: lines of metrics.jsonl, entries of a logger, figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...data import Dataset
from .. import run_dir as files
from .loggers import Log

if TYPE_CHECKING:
    from ..state import TrainingState

FIGURES = "figures"  # in the run folder


class EpochRecorder:
    """Writes the record of each epoch, on rank zero only.

    Args:
        state: state of the training.
        data: data set whose test examples are interpolated in figures.
        run_dir: run folder.
        log: logger.
    """

    def __init__(self, state: "TrainingState", data: Dataset, run_dir: Path, log: Log) -> None:
        self.state, self.data, self.run_dir, self.log = state, data, run_dir, log

    def record_epoch(self) -> None:
        """Write the last record of the state's history.

        Raises:
            OSError: naming the path, if a file cannot be written.
        """
        if self.state.context.rank > 0:
            return
        record = self.state.history[-1]
        files.append_metrics(self.run_dir, record)
        self.log(record)
        every = self.state.config.figures_every
        if every is not None and record["epoch"] % every == 0:
            self._draw_figures(f"epoch-{int(record['epoch']):05d}")

    def _draw_figures(self, stem: str) -> None:
        from ...evaluate.report.training_figures import write_training_figures  # lazy: matplotlib takes long to import

        write_training_figures(self.state.model, self.data, self.run_dir / FIGURES, stem)
