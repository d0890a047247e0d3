"""fastlatent reproduce NAME."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from ..experiments.recipes import NAMES, Budget, Recipe, recipe
from ..train import TrainingInterrupted
from .exits import stop, wrong_options

if TYPE_CHECKING:
    from ..experiments.reproduce import Reproduction

    Name = str
else:
    Name = Literal[NAMES]


@dataclass(frozen=True)
class Reproduce:
    """Reproduce a table of a paper: train its models over seeds, and print what was obtained beside what was reported.

    Called again, a reproduction that was stopped goes on.
    """

    name: tyro.conf.Positional[Name]
    """The table."""
    budget: Budget = "short"
    """full: the source's, for a GPU; short: at most half an hour a run on two cores."""
    seeds: tuple[int, ...] | None = None
    """Seeds, a run of each model with each; None: those of the budget."""
    threads: int = 1
    """Processor threads."""
    data_dir: Path | None = None
    """Folder of the data's files; None: the environment's FASTLATENT_DATA, else ~/.cache/fastlatent."""
    out: Path | None = None
    """Folder of the runs; None: runs/NAME-BUDGET."""

    def run(self) -> None:
        """Train, measure, print the table."""
        from ..experiments.reproduce import TABLE, reproduce

        folder = self.out or Path("runs") / f"{self.name}-{self.budget}"
        changes: dict[str, Any] = {"threads": self.threads, "data_dir": self.data_dir}
        if self.seeds is not None:
            changes["seeds"] = self.seeds
        said = Console(stderr=True, highlight=False, soft_wrap=True)
        chosen = recipe(self.name)
        try:
            with wrong_options():
                done = reproduce(chosen, self.budget, folder, said.print, **changes)
        except TrainingInterrupted as stopped:
            stop(128 + stopped.signal, f"{stopped}; the same command goes on")
        print_table(Console(), chosen, done)
        Console().print(f"As Markdown: {folder / TABLE}", soft_wrap=True)


def print_table(console: Console, recipe: Recipe, done: "Reproduction") -> None:
    """Obtained / reported, a row for each model."""
    from ..experiments.reproduce import cell_text

    table = Table("", box=box.SIMPLE, title=f"{recipe.about} Obtained / reported ({recipe.source})")
    for column in recipe.columns:
        direction = "higher" if column.higher_is_better else "lower"
        table.add_column(f"{column.heading}\n[dim]{direction} is better", justify="right")
    for row, cells in done.cells.items():
        table.add_row(row, *(cell_text(cells[c.heading]) if c.heading in cells else "" for c in recipe.columns))
    console.print(table)
