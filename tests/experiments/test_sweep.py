"""Sweeps: run folders, resumption, failed runs, and means over seeds."""

import csv
import json
import statistics
from dataclasses import replace

import pytest

from fastlatent.evaluate.report.results import read_results
from fastlatent.experiments import Run
from fastlatent.experiments.run import default_run
from fastlatent.experiments.sweep import RunResult, run_name, summarize, sweep
from fastlatent.models.configs.base import AEConfig
from fastlatent.models.configs.wae import WAEMMDConfig
from fastlatent.train import TrainConfig, TrainingInterrupted

pytestmark = pytest.mark.slow

SMALL = Run(WAEMMDConfig(latent_dim=2, hidden=(8,)), TrainConfig(epochs=1, batch_size=500))


def with_seeds(run, *seeds):
    return [replace(run, training=replace(run.training, seed=seed)) for seed in seeds]


def no_log(line):
    pass


def test_run_name_has_non_default_options_and_seed():
    assert run_name(default_run(AEConfig)) == "seed=0"
    assert run_name(replace(default_run(AEConfig), model=AEConfig(hidden=(64, 32)))) == "hidden=64x32,seed=0"
    assert run_name(replace(default_run(AEConfig), data="my/pictures")) == "data=my_pictures,seed=0"
    assert run_name(SMALL) == "latent_dim=2,hidden=8,epochs=1,batch_size=500,seed=0"


def test_sweep_writes_run_folders_json_and_csv(tmp_path):
    log_lines = []
    results = sweep(with_seeds(SMALL, 0, 1), tmp_path, log_lines.append)
    assert [line.split()[1] for line in log_lines] == ["1/2", "2/2"]
    for result in results:
        values = [metric.value for metric in read_results(tmp_path / result.run) if metric.is_model]
        assert list(result.metrics.values()) == values
        assert values
    assert results[0].metrics != results[1].metrics
    content = json.loads((tmp_path / "sweep.json").read_text())
    assert content["format"] == 1
    assert [run["metrics"] for run in content["runs"]] == [result.metrics for result in results]
    with (tmp_path / "sweep.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["seed"] for line in lines] == ["0", "1"]
    for line, result in zip(lines, results, strict=True):
        assert {name: float(line[name]) for name in result.metrics} == result.metrics


def test_finished_runs_are_skipped_and_interrupted_ones_resumed(tmp_path, monkeypatch):
    whole = sweep(with_seeds(SMALL, 0, 1), tmp_path / "whole", no_log)

    def interrupt(*arguments):
        raise TrainingInterrupted("stopped", tmp_path, 2)

    first, second = with_seeds(SMALL, 0, 1)
    repeated = tmp_path / "repeated"
    sweep([first], repeated, no_log)
    modification_time = (repeated / run_name(first) / "report.html").stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr("fastlatent.evaluate.write_report", interrupt)
        with pytest.raises(TrainingInterrupted):
            sweep([first, second], repeated, no_log)
    assert sweep([first, second], repeated, no_log) == whole
    assert (repeated / run_name(first) / "report.html").stat().st_mtime_ns == modification_time


def test_run_without_config_is_started_again(tmp_path):
    (tmp_path / run_name(SMALL)).mkdir()
    (tmp_path / run_name(SMALL) / ".config.yaml.part").touch()
    assert sweep([SMALL], tmp_path, no_log)[0].error is None


def test_failed_run_does_not_end_the_sweep(tmp_path):
    invalid = replace(SMALL, model=replace(SMALL.model, latent_dim=3, prior="mixture"))
    log_lines = []
    failed, finished = sweep([invalid, SMALL], tmp_path, log_lines.append)
    assert "needs latent_dim = 2; got 3" in failed.error
    assert any("needs latent_dim = 2" in line for line in log_lines)
    assert not failed.metrics
    assert finished.error is None


def test_runs_of_several_processes_fail(tmp_path):
    (failed,) = sweep([replace(SMALL, training=replace(SMALL.training, devices=2))], tmp_path, no_log)
    assert "devices and num_nodes must be 1 in a sweep" in failed.error


def run_result(dim, seed, value, error=None):
    return RunResult("", {"latent_dim": dim, "seed": seed, "lr": 0.1}, {} if error else {"a number": value}, error)


def test_rows_are_means_and_standard_deviations_over_seeds():
    rows = summarize(
        [
            run_result(2, 0, 1.0),
            run_result(2, 1, 2.0),
            run_result(2, 2, 6.0),
            run_result(8, 0, 5.0),
            run_result(8, 1, 0, "no"),
        ]
    )
    assert [row.options for row in rows] == [{"latent_dim": 2}, {"latent_dim": 8}]
    assert rows[0].metrics["a number"] == (3.0, pytest.approx(statistics.stdev([1, 2, 6])))
    assert rows[1].metrics["a number"] == (5.0, None)
    assert [(row.seeds, row.failed) for row in rows] == [(3, 0), (1, 1)]


def test_row_without_finished_runs_has_no_metrics():
    (row,) = summarize([run_result(2, 0, 0, "no")])
    assert (row.metrics, row.seeds, row.failed) == ({}, 0, 1)
