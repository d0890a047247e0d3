"""Recipes: the tables of papers as data, each a YAML file here, and what a budget makes of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import yaml

from ...utils import checks
from ..run import Run, run_with

Budget = Literal["full", "short"]
FOLDER = files(__package__)
NAMES = tuple(sorted(path.name.removesuffix(".yaml") for path in FOLDER.iterdir() if path.name.endswith(".yaml")))


@dataclass(frozen=True)
class RecipeColumn:
    """Column of a table, a metric.

    Args:
        heading: of the column.
        group, label: prefixes of the group and label of the metric.
        percent: whether the metric is a share, shown in percent.
        higher_is_better: whether higher values are better.
        rows: names of the rows to which the column applies; none: all.
    """

    heading: str
    group: str
    label: str
    percent: bool = False
    higher_is_better: bool = False
    rows: Sequence[str] = ()

    def applies(self, row: str) -> bool:
        """Whether it does to the row of this name."""
        return not self.rows or row in self.rows


@dataclass(frozen=True)
class RecipeRow:
    """A model of a table.

    Args:
        name: as the paper calls it.
        model: as `fastlatent models` does.
        options: in which it differs from the other rows.
        reported: the paper's numbers as text, by heading; there may be none.
    """

    name: str
    model: str
    options: Mapping[str, Any]
    reported: Mapping[str, str]


class Planned(NamedTuple):
    """A run of a recipe."""

    row: str
    run: Run


@dataclass(frozen=True)
class Recipe:
    """A table to reproduce.

    Args:
        name: of its file.
        about: what the table shows.
        source: of the reported numbers and the settings.
        columns, rows: of the table.
        options: of every run, but where a row or, before it, a budget says otherwise.
        budgets: for each its seeds and the options that it sets.
        metrics: that its columns need in addition to the quick ones, by their names in
            `fastlatent.evaluate.metrics.registry`.
        kmeans_starts: of k-means on codes, by budget; without them those of `fastlatent evaluate`.
    """

    name: str
    about: str
    source: str
    columns: tuple[RecipeColumn, ...]
    rows: tuple[RecipeRow, ...]
    options: Mapping[str, Any]
    budgets: Mapping[Budget, Mapping[str, Any]]
    metrics: Sequence[str] = ()
    kmeans_starts: Mapping[Budget, int] = field(default_factory=dict)

    def runs(self, budget: Budget, folder: Path, **changes: Any) -> list[Planned]:
        """What to train: each row with each seed, in a folder of its own.

        Args:
            budget: "full" or "short".
            folder: that of the reproduction.
            changes: options that override the recipe's, `seeds` among them.

        Raises:
            ValueError: for another budget, or an option that a row's model does not have.
        """
        checks.choice("budget", budget, get_args(Budget))
        chosen = {**self.budgets[budget], **changes}
        seeds = chosen.pop("seeds")
        planned = []
        for row in self.rows:
            run = run_with({"model": row.model, **self.options, **row.options, **chosen})
            for seed in seeds:
                own = folder / f"{re.sub('[^a-z0-9]+', '-', row.name.lower())}-{seed}"
                planned.append(Planned(row.name, replace(run, training=replace(run.training, seed=seed, out=own))))
        return planned


def recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        ValueError: for another name than those in `NAMES`.
    """
    checks.choice("recipe", name, NAMES)
    read = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    columns = tuple(RecipeColumn(heading, **what) for heading, what in read.pop("columns").items())
    rows = tuple(
        RecipeRow(row, what["model"], what.get("options", {}), what.get("reported", {}))
        for row, what in read.pop("rows").items()
    )
    return Recipe(name, columns=columns, rows=rows, **read)
