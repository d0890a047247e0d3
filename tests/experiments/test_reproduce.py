"""Recipes are tables of papers; each is trained here for a few steps, on data that needs no file."""

import json
from dataclasses import replace

import pytest

from fastlatent.evaluate.report.results import read_results
from fastlatent.experiments.recipes import NAMES, RecipeColumn, recipe
from fastlatent.experiments.reproduce import reproduce

FEW_STEPS = {"epochs": 1, "batch_size": 512, "seeds": [0], "accelerator": "cpu"}
STAND_IN = {
    "image": {"data": "digits", "image_size": None, "hidden": (16,)},
    "cloud": {"data": "shapes", "points": 16, "hidden": (16,)},
}


def stand_in(name):
    return STAND_IN["cloud" if name == "3daae-modelnet10" else "image"]


def quiet(_):
    pass


@pytest.mark.parametrize("budget", ["full", "short"])
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_has_a_run_for_each_row_and_seed(name, budget, tmp_path):
    chosen = recipe(name)
    planned = chosen.runs(budget, tmp_path)
    seeds = chosen.budgets[budget]["seeds"]
    assert [row for row, _ in planned] == [row.name for row in chosen.rows for _ in seeds]
    assert [run.training.seed for _, run in planned] == [*seeds] * len(chosen.rows)
    assert len({run.training.out for _, run in planned}) == len(planned)
    for _, run in planned:
        run.training.check()


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_trains(name, tmp_path):
    for _, run in recipe(name).runs("short", tmp_path, **FEW_STEPS, **stand_in(name)):
        assert run.fit().fit.history[-1]["epoch"] == 1


def test_reported_numbers_have_a_column():
    for name in NAMES:
        headings = {column.heading for column in recipe(name).columns}
        assert all(row.reported.keys() <= headings for row in recipe(name).rows)


def test_the_table_has_what_was_obtained_beside_what_was_reported(tmp_path):
    chosen, said = recipe("aae-semi-mnist-100"), []
    changes = {**FEW_STEPS, **stand_in(chosen.name), "seeds": [0, 1]}
    done = reproduce(chosen, "short", tmp_path, said.append, **changes)
    cell = done.cells["Semi-supervised AAE"]["error, %"]
    errors = [
        100 * result.value
        for seed in (0, 1)
        for result in read_results(tmp_path / f"semi-supervised-aae-{seed}")
        if result.group.startswith("Classification error") and result.is_model
    ]
    assert len(errors) == 2
    assert cell.obtained.mean == pytest.approx(sum(errors) / 2)
    assert cell.obtained.count == 2
    assert cell.reported == "1.90 ± 0.10"
    lines = (tmp_path / "reproduction.md").read_text().splitlines()
    obtained = f"{cell.obtained.mean:.2f} ± {cell.obtained.half_width:.2f}"
    assert lines[2].startswith(f"| Semi-supervised AAE | {obtained} / 1.90 ± 0.10 | ")
    assert "/" not in lines[3]  # of its views the source reports nothing
    assert json.loads((tmp_path / "reproduction.json").read_text())["recipe"] == chosen.name
    runs = [f"semi-supervised-aae-{seed}" for seed in ("0", "1", "deformed-0", "deformed-1")]
    assert said == [f"run {number}/4  {run}" for number, run in enumerate(runs, 1)]
    again = []
    assert reproduce(chosen, "short", tmp_path, again.append, **changes).cells == done.cells
    assert again == [f"{line}  finished" for line in said]


def test_columns_beyond_the_quick_numbers_are_measured(tmp_path):
    chosen = recipe("penalties-mnist")
    chosen = replace(chosen, rows=[row for row in chosen.rows if row.name == "WWAE"])
    done = reproduce(chosen, "short", tmp_path, quiet, **FEW_STEPS, **stand_in(chosen.name))
    assert done.cells["WWAE"].keys() == {column.heading for column in chosen.columns}


def test_a_recipe_says_how_often_kmeans_starts(tmp_path):
    chosen = recipe("acai-mnist-32")
    assert chosen.kmeans_starts["full"] == 1000
    chosen = replace(chosen, rows=chosen.rows[:1], kmeans_starts={"short": 3})
    small = {**stand_in(chosen.name), "network": "mlp"}
    done = reproduce(chosen, "short", tmp_path, quiet, **FEW_STEPS, **small)
    assert done.cells["Baseline"].keys() == {"single layer, %", "clustering, %"}
    measured = (tmp_path / "baseline-0" / "results.json").read_text()
    assert "3 random starts" in measured
    assert "Max-sliced Wasserstein" not in measured  # no column of this table


def test_what_is_measured_is_not_measured_again_for_a_column_that_does_not_apply(tmp_path, monkeypatch):
    chosen = recipe("aae-dimred-mnist")
    first = reproduce(chosen, "short", tmp_path, quiet, **FEW_STEPS, **stand_in(chosen.name))
    assert first.cells["2-D, no labels"].keys() == {"cluster error, %"}
    assert first.cells["2-D, 100 labels"].keys() == {"cluster error, %", "class error, %"}
    monkeypatch.setattr("fastlatent.experiments.reproduce.evaluate_run", None)
    assert reproduce(chosen, "short", tmp_path, quiet, **FEW_STEPS, **stand_in(chosen.name)).cells == first.cells


def test_a_column_of_which_nothing_is_found_is_left_out(tmp_path):
    chosen = recipe("aae-semi-mnist-100")
    chosen = replace(chosen, columns=(RecipeColumn("none", "Nothing of that kind", "this model"), *chosen.columns))
    done = reproduce(chosen, "short", tmp_path, quiet, **FEW_STEPS, **stand_in(chosen.name))
    assert done.cells["Semi-supervised AAE"].keys() == {"error, %"}


def test_columns_apply_to_rows_there_are():
    for chosen in map(recipe, NAMES):
        assert {row for column in chosen.columns for row in column.rows} <= {row.name for row in chosen.rows}


def test_an_unknown_recipe_budget_or_option_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"recipe must be one of .*'penalties-mnist'; got 'table 1'"):
        recipe("table 1")
    with pytest.raises(ValueError, match="budget must be one of 'full', 'short'; got 'free'"):
        recipe("penalties-mnist").runs("free", tmp_path)
    with pytest.raises(ValueError, match="options must be those of the model, its data and its training; got wings"):
        recipe("penalties-mnist").runs("short", tmp_path, wings=2)
