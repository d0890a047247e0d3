"""Runs as data: config.yaml determines a run."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from fastlatent.data import load
from fastlatent.experiments import Run, load_run, read_run
from fastlatent.experiments.run import run_from_config
from fastlatent.models import MODEL_CONFIGS
from fastlatent.models.configs import AEConfig
from fastlatent.models.configs.acai import ACAIConfig
from fastlatent.models.configs.point_clouds import AAE3DConfig
from fastlatent.train import TrainConfig, fit
from fastlatent.train.run_dir import read_config

pytestmark = pytest.mark.slow


def same_weights(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def acai(run_dir, seed=3):
    training = TrainConfig(epochs=1, batch_size=100, lr=1e-5, seed=seed, run_dir=run_dir, accelerator="cpu")
    return Run(ACAIConfig(latent_dim=3, hidden=(16, 8), penalty="frechet"), training, labels_per_class=5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = acai(tmp_path_factory.mktemp("runs") / "run")
    return run, run.fit().model


def test_read_run_round_trip(trained):
    run, _ = trained
    assert read_run(run.training.run_dir) == run


def test_round_trip_of_every_type_of_option(tmp_path):
    clouds = Run(
        AAE3DConfig(features=(8,), hidden=()), TrainConfig(epochs=1, run_dir=tmp_path / "run"), data="shapes", points=16
    )
    clouds = replace(clouds, data_dir=Path("somewhere") / "else")
    clouds.fit()
    assert read_run(tmp_path / "run") == clouds


def test_run_repeated_from_its_config_is_bitwise_identical(trained, tmp_path):
    run, model = trained
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "config.yaml").write_text((run.training.run_dir / "config.yaml").read_text())
    loaded = read_run(alone)
    torch.rand(7)  # changes the state of the default generator
    second_model = replace(loaded, training=replace(loaded.training, run_dir=tmp_path / "again")).fit().model
    assert same_weights(second_model, model)
    assert not same_weights(acai(tmp_path / "other", seed=4).fit().model, model)


def test_load_run_returns_model_data_and_options(trained):
    run, model = trained
    loaded = load_run(run.training.run_dir)
    assert same_weights(loaded.model, model)
    assert (loaded.data.name, loaded.config) == ("digits", run.training)
    assert (loaded.data.train.labels >= 0).sum() == 50


def test_missing_options_have_their_defaults(trained):
    run, _ = trained
    options = read_config(run.training.run_dir)
    del options["hidden"], options["threads"]
    loaded = run_from_config(options)
    assert loaded.model == replace(run.model, hidden=ACAIConfig().hidden)
    assert loaded.training == replace(run.training, threads=TrainConfig().threads)


def test_run_of_an_unnamed_model_is_rejected(tmp_path):
    data = load("digits")
    for name in (None, "ae"):
        run_dir = tmp_path / str(name)
        fit(AEConfig(hidden=()).build(data.shape), data, TrainConfig(epochs=1, run_dir=run_dir), name=name)
        with pytest.raises(ValueError, match="is not one of `fastlatent models`"):
            read_run(run_dir)


def test_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a run folder"):
        load_run(tmp_path)


def test_option_names_of_models_data_and_training_are_disjoint():
    training_options = {option.name for option in fields(TrainConfig)}
    run_options = {option.name for option in fields(Run)} - {"training"}
    assert not training_options & run_options
    for config in MODEL_CONFIGS.values():
        assert not {option.name for option in fields(config)} & (training_options | run_options)
