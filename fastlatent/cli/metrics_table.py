"""The numbers of a report on the screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from ..evaluate import MetricResult


def print_numbers(title: str, numbers: Sequence["MetricResult"]) -> None:
    """Print a table of them, in the groups of the report; the model's own in green."""
    from ..evaluate.report.html import grouped

    table = Table(box=box.SIMPLE, title=title)
    table.add_column("")
    table.add_column("value", justify="right")
    for group, members in grouped(numbers):
        table.add_section()
        table.add_row(f"[bold]{group} ({members[0].better} is better)", "")
        for number in members:
            table.add_row(f"  {number.of}", number.text, style="bold green" if number.ours else None)
    Console().print(table)
