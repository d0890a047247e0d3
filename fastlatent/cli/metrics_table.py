"""Table of a run's metrics on the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from ..evaluate import MetricResult


def print_metrics(title: str, metrics: Sequence["MetricResult"]) -> None:
    """Print a table of metrics, grouped as in the report, those of the model in green."""
    from ..evaluate.report.html import group_results

    table = Table(box=box.SIMPLE, title=title)
    table.add_column("")
    table.add_column("value", justify="right")
    for heading, members in group_results(metrics):
        table.add_section()
        table.add_row(f"[bold]{heading}", "")
        for metric in members:
            table.add_row(f"  {metric.label}", metric.text, style="bold green" if metric.is_model else None)
    Console().print(table)
