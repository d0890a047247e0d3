"""Command `fastlatent reproduce NAME`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from ..experiments.recipes import NAMES, Budget, Recipe, load_recipe
from ..train import TrainingInterrupted
from .exits import exit_on_user_errors, exit_with

if TYPE_CHECKING:
    from ..experiments.reproduce import Reproduction

    Name = str
else:
    Name = Literal[NAMES]


@dataclass(frozen=True)
class Reproduce:
    """Reproduce a table of a paper: train its models over seeds, and print obtained and reported values.

    A repeated call resumes an interrupted reproduction.
    """

    name: tyro.conf.Positional[Name]
    """Name of the recipe."""
    budget: Budget = "short"
    """full: as in the paper, for a GPU; short: at most half an hour per run on two cores."""
    seeds: tuple[int, ...] | None = None
    """Seeds of the runs of each model; None: those of the budget."""
    threads: int = 1
    """CPU threads."""
    data_dir: Path | None = None
    """Folder of the data set's files; None: the environment variable FASTLATENT_DATA, else ~/.cache/fastlatent."""
    run_dir: Path | None = None
    """Folder of the reproduction; None: runs/NAME-BUDGET."""

    def run(self) -> None:
        """Train, evaluate, and print the table."""
        from ..experiments.reproduce import TABLE, reproduce

        folder = self.run_dir or Path("runs") / f"{self.name}-{self.budget}"
        overrides: dict[str, Any] = {"threads": self.threads, "data_dir": self.data_dir}
        if self.seeds is not None:
            overrides["seeds"] = self.seeds
        stderr = Console(stderr=True, highlight=False, soft_wrap=True)
        recipe = load_recipe(self.name)
        try:
            with exit_on_user_errors():
                reproduction = reproduce(recipe, self.budget, folder, stderr.print, **overrides)
        except TrainingInterrupted as interruption:
            exit_with(128 + interruption.signal, f"{interruption}; the same command resumes the reproduction")
        print_table(Console(), recipe, reproduction)
        Console().print(f"As Markdown: {folder / TABLE}", soft_wrap=True)


def print_table(console: Console, recipe: Recipe, reproduction: "Reproduction") -> None:
    """Print obtained / reported values, with a row for each model."""
    from ..experiments.reproduce import format_cell

    table = Table("", box=box.SIMPLE, title=f"{recipe.about} Obtained / reported ({recipe.source})")
    for column in recipe.columns:
        direction = "higher" if column.higher_is_better else "lower"
        table.add_column(f"{column.heading}\n[dim]{direction} is better", justify="right")
    for row, cells in reproduction.cells.items():
        table.add_row(row, *(format_cell(cells[c.heading]) if c.heading in cells else "" for c in recipe.columns))
    console.print(table)
