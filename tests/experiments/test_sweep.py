"""Sweeps: a folder for each run, finished ones kept, failures told, and means over seeds."""

import csv
import json
import statistics
from dataclasses import replace

import pytest

from fastlatent.evaluate.report.results import read_results
from fastlatent.experiments import Run
from fastlatent.experiments.run import default_run
from fastlatent.experiments.sweep import Outcome, run_name, summary, sweep
from fastlatent.models.configs.base import AEConfig
from fastlatent.models.configs.wae import WAEMMDConfig
from fastlatent.train import TrainConfig, TrainingInterrupted

SMALL = Run(WAEMMDConfig(latent_dim=2, hidden=(8,)), TrainConfig(epochs=1, batch_size=500))


def seeds(run, *seeds):
    return [replace(run, training=replace(run.training, seed=seed)) for seed in seeds]


def silent(line):
    pass


def test_a_run_is_named_by_what_is_not_default_and_its_seed():
    assert run_name(default_run(AEConfig)) == "seed=0"
    assert run_name(replace(default_run(AEConfig), model=AEConfig(hidden=(64, 32)))) == "hidden=64x32,seed=0"
    assert run_name(replace(default_run(AEConfig), data="my/pictures")) == "data=my_pictures,seed=0"
    assert run_name(SMALL) == "latent_dim=2,hidden=8,epochs=1,batch_size=500,seed=0"


def test_a_sweep_leaves_a_folder_for_each_run_and_all_numbers_as_json_and_csv(tmp_path):
    said = []
    outcomes = sweep(seeds(SMALL, 0, 1), tmp_path, said.append)
    assert [line.split()[1] for line in said] == ["1/2", "2/2"]
    for outcome in outcomes:
        values = [result.value for result in read_results(tmp_path / outcome.run) if result.is_model]
        assert list(outcome.numbers.values()) == values
        assert values
    assert outcomes[0].numbers != outcomes[1].numbers
    saved = json.loads((tmp_path / "sweep.json").read_text())
    assert [one["numbers"] for one in saved] == [outcome.numbers for outcome in outcomes]
    with (tmp_path / "sweep.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["seed"] for line in lines] == ["0", "1"]
    for line, outcome in zip(lines, outcomes, strict=True):
        assert {name: float(line[name]) for name in outcome.numbers} == outcome.numbers


def test_what_is_finished_is_kept_and_what_was_stopped_goes_on_to_the_same_numbers(tmp_path, monkeypatch):
    whole = sweep(seeds(SMALL, 0, 1), tmp_path / "whole", silent)

    def stopped(*arguments):
        raise TrainingInterrupted("stopped", tmp_path, 2)

    first, second = seeds(SMALL, 0, 1)
    begun = tmp_path / "begun"
    sweep([first], begun, silent)
    finished = (begun / run_name(first) / "report.html").stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr("fastlatent.evaluate.write_report", stopped)
        with pytest.raises(TrainingInterrupted):
            sweep([first, second], begun, silent)
    assert sweep([first, second], begun, silent) == whole
    assert (begun / run_name(first) / "report.html").stat().st_mtime_ns == finished


def test_what_was_stopped_before_its_options_were_written_begins_anew(tmp_path):
    (tmp_path / run_name(SMALL)).mkdir()
    (tmp_path / run_name(SMALL) / ".config.yaml.part").touch()
    assert sweep([SMALL], tmp_path, silent)[0].error is None


def test_a_run_that_fails_does_not_stop_the_others(tmp_path):
    wrong = replace(SMALL, model=replace(SMALL.model, latent_dim=3, prior="mixture"))
    said = []
    failed, done = sweep([wrong, SMALL], tmp_path, said.append)
    assert "needs latent_dim = 2; got 3" in failed.error
    assert any("needs latent_dim = 2" in line for line in said)
    assert not failed.numbers
    assert done.error is None


def test_runs_of_several_processes_are_refused(tmp_path):
    (failed,) = sweep([replace(SMALL, training=replace(SMALL.training, devices=2))], tmp_path, silent)
    assert "devices and num_nodes must be 1 in a sweep" in failed.error


def outcome(dim, seed, value, error=None):
    return Outcome("", {"latent_dim": dim, "seed": seed, "lr": 0.1}, {} if error else {"a number": value}, error)


def test_rows_are_means_and_standard_deviations_over_seeds():
    rows = summary(
        [outcome(2, 0, 1.0), outcome(2, 1, 2.0), outcome(2, 2, 6.0), outcome(8, 0, 5.0), outcome(8, 1, 0, "no")]
    )
    assert [row.options for row in rows] == [{"latent_dim": 2}, {"latent_dim": 8}]
    assert rows[0].numbers["a number"] == (3.0, pytest.approx(statistics.stdev([1, 2, 6])))
    assert rows[1].numbers["a number"] == (5.0, None)
    assert [(row.seeds, row.failed) for row in rows] == [(3, 0), (1, 1)]


def test_a_row_of_which_nothing_was_finished_has_no_numbers():
    (row,) = summary([outcome(2, 0, 0, "no")])
    assert (row.numbers, row.seeds, row.failed) == ({}, 0, 1)
