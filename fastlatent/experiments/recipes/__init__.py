"""Recipes: tables of papers as YAML files, and the runs that reproduce them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import yaml

from ...utils import checks
from ..run import Run, run_from_options

Budget = Literal["full", "short"]
FOLDER = files(__package__)
NAMES = tuple(sorted(path.name.removesuffix(".yaml") for path in FOLDER.iterdir() if path.name.endswith(".yaml")))


@dataclass(frozen=True)
class RecipeColumn:
    """A column of a table, filled with a metric.

    Args:
        heading: heading of the column.
        group, label: prefixes of the group and the label of the metric.
        percent: whether the metric is a share that the table shows in per cent.
        higher_is_better: whether higher values are better.
        rows: names of the rows to which the column applies; empty: all.
    """

    heading: str
    group: str
    label: str
    percent: bool = False
    higher_is_better: bool = False
    rows: Sequence[str] = ()

    def applies_to(self, row: str) -> bool:
        """Return whether the column applies to the row of this name."""
        return not self.rows or row in self.rows


@dataclass(frozen=True)
class RecipeRow:
    """A row of a table, filled by a model.

    Args:
        name: name of the model in the paper.
        model: name of the model in `fastlatent models`.
        options: options in which the model differs from the other rows.
        reported: values in the paper as text, by heading; may be empty.
    """

    name: str
    model: str
    options: Mapping[str, Any]
    reported: Mapping[str, str]


class RecipeRun(NamedTuple):
    """A run of a recipe, and the row to which it belongs."""

    row: str
    run: Run


@dataclass(frozen=True)
class Recipe:
    """A table to reproduce.

    Args:
        name: name of the YAML file.
        about: title of the table.
        source: source of the reported values and the settings.
        columns, rows: columns and rows of the table.
        options: options of every run, overridden by those of the row, and these by those of the budget.
        budgets: seeds and options of each budget.
        metrics: metrics of the columns in addition to the quick ones, named as in
            `fastlatent.evaluate.metrics.registry`.
        kmeans_starts: number of random starts of k-means on codes, by budget; default: as in `fastlatent evaluate`.
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

    def runs(self, budget: Budget, folder: Path, **overrides: Any) -> list[RecipeRun]:
        """Return a run for each row and seed, each with its own run folder.

        Args:
            budget: "full" or "short".
            folder: folder of the reproduction.
            overrides: options that override the recipe's, `seeds` among them.

        Raises:
            ValueError: for another budget, or an option that a row's model does not have.
        """
        checks.choice("budget", budget, get_args(Budget))
        options = {**self.budgets[budget], **overrides}
        seeds = options.pop("seeds")
        runs = []
        for row in self.rows:
            run = run_from_options({"model": row.model, **self.options, **row.options, **options})
            for seed in seeds:
                run_dir = folder / f"{re.sub('[^a-z0-9]+', '-', row.name.lower())}-{seed}"
                training = replace(run.training, seed=seed, run_dir=run_dir)
                runs.append(RecipeRun(row.name, replace(run, training=training)))
        return runs


def load_recipe(name: str) -> Recipe:
    """Load the recipe of this name.

    Raises:
        ValueError: for a name that is not in `NAMES`.
    """
    checks.choice("recipe", name, NAMES)
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    columns = tuple(RecipeColumn(heading, **column) for heading, column in content.pop("columns").items())
    rows = tuple(
        RecipeRow(row_name, row["model"], row.get("options", {}), row.get("reported", {}))
        for row_name, row in content.pop("rows").items()
    )
    return Recipe(name, columns=columns, rows=rows, **content)
