"""Recipes, each trained for a few steps on built-in data."""

import json
from dataclasses import replace

import pytest

from fastlatent.evaluate.report.results import read_results
from fastlatent.experiments.recipes import NAMES, RecipeColumn, load_recipe
from fastlatent.experiments.reproduce import reproduce

pytestmark = pytest.mark.slow

FEW_STEPS = {"epochs": 1, "batch_size": 512, "seeds": [0], "accelerator": "cpu"}
BUILTIN_DATA = {
    "image": {"data": "digits", "image_size": None, "hidden": (16,)},
    "cloud": {"data": "shapes", "points": 16, "hidden": (16,)},
}


def builtin_data(name):
    return BUILTIN_DATA["cloud" if name == "3daae-modelnet10" else "image"]


def no_log(_):
    pass


@pytest.mark.parametrize("budget", ["full", "short"])
@pytest.mark.parametrize("name", NAMES)
def test_recipe_has_a_run_for_each_row_and_seed(name, budget, tmp_path):
    recipe = load_recipe(name)
    runs = recipe.runs(budget, tmp_path)
    seeds = recipe.budgets[budget]["seeds"]
    assert [row for row, _ in runs] == [row.name for row in recipe.rows for _ in seeds]
    assert [run.training.seed for _, run in runs] == [*seeds] * len(recipe.rows)
    assert len({run.training.run_dir for _, run in runs}) == len(runs)
    for _, run in runs:
        run.training.check()


@pytest.mark.parametrize("name", NAMES)
def test_recipe_trains(name, tmp_path):
    for _, run in load_recipe(name).runs("short", tmp_path, **FEW_STEPS, **builtin_data(name)):
        assert run.fit().result.history[-1]["epoch"] == 1


def test_reported_values_have_a_column():
    for name in NAMES:
        headings = {column.heading for column in load_recipe(name).columns}
        assert all(row.reported.keys() <= headings for row in load_recipe(name).rows)


def test_table_has_obtained_and_reported_values(tmp_path):
    recipe, log_lines = load_recipe("aae-semi-mnist-100"), []
    overrides = {**FEW_STEPS, **builtin_data(recipe.name), "seeds": [0, 1]}
    reproduction = reproduce(recipe, "short", tmp_path, log_lines.append, **overrides)
    cell = reproduction.cells["Semi-supervised AAE"]["error, %"]
    errors = [
        100 * metric.value
        for seed in (0, 1)
        for metric in read_results(tmp_path / f"semi-supervised-aae-{seed}")
        if metric.group.startswith("Classification error") and metric.is_model
    ]
    assert len(errors) == 2
    assert cell.obtained.mean == pytest.approx(sum(errors) / 2)
    assert cell.obtained.count == 2
    assert cell.reported == "1.90 ± 0.10"
    lines = (tmp_path / "reproduction.md").read_text().splitlines()
    obtained = f"{cell.obtained.mean:.2f} ± {cell.obtained.half_width:.2f}"
    assert lines[2].startswith(f"| Semi-supervised AAE | {obtained} / 1.90 ± 0.10 | ")
    assert "/" not in lines[3]  # nothing is reported with augmentation
    assert json.loads((tmp_path / "reproduction.json").read_text())["recipe"] == recipe.name
    runs = [f"semi-supervised-aae-{seed}" for seed in ("0", "1", "augmented-0", "augmented-1")]
    assert log_lines == [f"run {number}/4  {run}" for number, run in enumerate(runs, 1)]
    repeated_lines = []
    assert reproduce(recipe, "short", tmp_path, repeated_lines.append, **overrides).cells == reproduction.cells
    assert repeated_lines == [f"{line}  finished" for line in log_lines]


def test_metrics_beyond_the_quick_ones_are_computed(tmp_path):
    recipe = load_recipe("penalties-mnist")
    recipe = replace(recipe, rows=[row for row in recipe.rows if row.name == "WWAE"])
    reproduction = reproduce(recipe, "short", tmp_path, no_log, **FEW_STEPS, **builtin_data(recipe.name))
    assert reproduction.cells["WWAE"].keys() == {column.heading for column in recipe.columns}


def test_recipe_sets_kmeans_starts(tmp_path):
    recipe = load_recipe("acai-mnist-32")
    assert recipe.kmeans_starts["full"] == 1000
    recipe = replace(recipe, rows=recipe.rows[:1], kmeans_starts={"short": 3})
    small = {**builtin_data(recipe.name), "network": "mlp"}
    reproduction = reproduce(recipe, "short", tmp_path, no_log, **FEW_STEPS, **small)
    assert reproduction.cells["Baseline"].keys() == {"single layer, %", "clustering, %"}
    results = (tmp_path / "baseline-0" / "results.json").read_text()
    assert "3 random starts" in results
    assert "Max-sliced Wasserstein" not in results  # not a column of this table


def test_no_evaluation_for_columns_that_do_not_apply(tmp_path, monkeypatch):
    recipe = load_recipe("aae-dimred-mnist")
    first = reproduce(recipe, "short", tmp_path, no_log, **FEW_STEPS, **builtin_data(recipe.name))
    assert first.cells["2-D, no labels"].keys() == {"cluster error, %"}
    assert first.cells["2-D, 100 labels"].keys() == {"cluster error, %", "class error, %"}
    monkeypatch.setattr("fastlatent.experiments.reproduce.evaluate_run", None)
    assert reproduce(recipe, "short", tmp_path, no_log, **FEW_STEPS, **builtin_data(recipe.name)).cells == first.cells


def test_column_without_values_is_omitted(tmp_path):
    recipe = load_recipe("aae-semi-mnist-100")
    recipe = replace(recipe, columns=(RecipeColumn("none", "Nothing of that kind", "this model"), *recipe.columns))
    reproduction = reproduce(recipe, "short", tmp_path, no_log, **FEW_STEPS, **builtin_data(recipe.name))
    assert reproduction.cells["Semi-supervised AAE"].keys() == {"error, %"}


def test_columns_apply_to_existing_rows():
    for recipe in map(load_recipe, NAMES):
        assert {row for column in recipe.columns for row in column.rows} <= {row.name for row in recipe.rows}


def test_unknown_recipe_budget_or_option_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"recipe must be one of .*'penalties-mnist'; got 'table 1'"):
        load_recipe("table 1")
    with pytest.raises(ValueError, match="budget must be one of 'full', 'short'; got 'free'"):
        load_recipe("penalties-mnist").runs("free", tmp_path)
    with pytest.raises(ValueError, match="options must be those of the model, its data and its training; got wings"):
        load_recipe("penalties-mnist").runs("short", tmp_path, wings=2)
