"""Command `fastlatent evaluate RUN [RUN ...]`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich import box
from rich.console import Console
from rich.table import Table
from tyro.conf import Positional, arg

from ..utils.atomic import atomic_write
from .exits import exit_on_user_errors
from .metrics_table import print_metrics

if TYPE_CHECKING:
    from ..experiments.evaluate import CombinedMetric


@dataclass(frozen=True)
class Evaluate:
    """Compute all metrics of trained models, on test data, and rewrite their reports.

    The metrics of several runs are also combined, on the terminal and in each report: the mean over runs that differ
    only in the seed, with a 95 % confidence interval.
    """

    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN [RUN ...]", help_behavior_hint="(required)")]
    """Run folders."""
    kmeans_starts: int = 10
    """Number of random starts of k-means on codes; 1000 in Berthelot et al. 2018."""
    out: Path | None = None
    """JSON file for the combined metrics of several runs; None: no file."""

    def run(self) -> None:
        """Evaluate each run, then combine their metrics."""
        from ..experiments.evaluate import combine_reports, configuration_names, evaluate_run

        with exit_on_user_errors():
            if not self.runs:
                raise ValueError("runs must be one or more run folders; got none")
            names, reports = configuration_names(self.runs), []
            for name, run_dir in zip(names, self.runs, strict=True):
                report = evaluate_run(run_dir, kmeans_starts=self.kmeans_starts)
                print_metrics(f"{run_dir}: {name}", report.metrics)
                Console().print(f"Report: {run_dir / 'report.html'}", soft_wrap=True)
                reports.append((name, report))
        if len(self.runs) > 1:
            rows = combine_reports(reports)
            _print_combined(rows)
            self._write(rows)

    def _write(self, rows: "list[CombinedMetric]") -> None:
        if self.out is not None:
            text = json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False)
            atomic_write(self.out, lambda path: path.write_text(text + "\n"))


def _print_combined(rows: "list[CombinedMetric]") -> None:
    """Print a table with a column for each configuration."""
    counts = {name: interval.count for row in rows for name, interval in row.intervals.items()}
    table = Table(box=box.SIMPLE, title="Mean over runs ± half-width of the 95 % confidence interval")
    table.add_column("")
    for name, count in counts.items():
        table.add_column(f"{name}\n{count} runs" if count > 1 else f"{name}\n1 run", justify="right")
    heading = None
    for row in rows:
        if row.result.heading != heading:
            heading = row.result.heading
            table.add_section()
            table.add_row(f"[bold]{heading}")
        cells = [row.intervals[name].text if name in row.intervals else "" for name in counts]
        table.add_row(f"  {row.result.label}", *cells, style="bold green" if row.result.is_model else None)
    Console().print(table)
