"""A run as data: config.yaml holds all that decides it."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from fastlatent.data import load
from fastlatent.experiments import Run, load_run, read_run
from fastlatent.experiments.run import run_of
from fastlatent.models import MODEL_CONFIGS
from fastlatent.models.configs import AEConfig
from fastlatent.models.configs.acai import ACAIConfig
from fastlatent.models.configs.point_clouds import AAE3DConfig
from fastlatent.train import TrainConfig, fit
from fastlatent.train.run_dir import read_config


def same_weights(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def acai(out, seed=3):
    training = TrainConfig(epochs=1, batch_size=100, lr=1e-5, seed=seed, out=out, accelerator="cpu")
    return Run(ACAIConfig(latent_dim=3, hidden=(16, 8), penalty="frechet"), training, labels_per_class=5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = acai(tmp_path_factory.mktemp("runs") / "run")
    return run, run.fit().model


def test_a_run_comes_back_from_its_folder(trained):
    run, _ = trained
    assert read_run(run.training.out) == run


def test_every_kind_of_option_comes_back(tmp_path):
    clouds = Run(
        AAE3DConfig(features=(8,), hidden=()), TrainConfig(epochs=1, out=tmp_path / "run"), data="shapes", points=16
    )
    clouds = replace(clouds, data_dir=Path("somewhere") / "else")
    clouds.fit()
    assert read_run(tmp_path / "run") == clouds


def test_a_run_repeated_from_its_config_alone_has_the_same_weights_bit_for_bit(trained, tmp_path):
    run, model = trained
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "config.yaml").write_text((run.training.out / "config.yaml").read_text())
    again = read_run(alone)
    torch.rand(7)  # wherever the generators stand
    repeated = replace(again, training=replace(again.training, out=tmp_path / "again")).fit().model
    assert same_weights(repeated, model)
    assert not same_weights(acai(tmp_path / "other", seed=4).fit().model, model)


def test_load_run_gives_the_trained_model_its_data_and_its_options(trained):
    run, model = trained
    loaded = load_run(run.training.out)
    assert same_weights(loaded.model, model)
    assert (loaded.data.name, loaded.config) == ("digits", run.training)
    assert (loaded.data.train.labels >= 0).sum() == 50


def test_a_run_from_before_an_option_has_its_default(trained):
    run, _ = trained
    options = read_config(run.training.out)
    del options["hidden"], options["threads"]
    older = run_of(options)
    assert older.model == replace(run.model, hidden=ACAIConfig().hidden)
    assert older.training == replace(run.training, threads=TrainConfig().threads)


def test_a_model_built_by_hand_is_not_guessed_at(tmp_path):
    data = load("digits")
    for name in (None, "ae"):
        out = tmp_path / str(name)
        fit(AEConfig(hidden=()).build(data.shape), data, TrainConfig(epochs=1, out=out), name=name)
        with pytest.raises(ValueError, match="a model built by hand"):
            read_run(out)


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no run folder"):
        load_run(tmp_path)


def test_options_of_models_data_and_training_have_names_of_their_own():
    of_training = {option.name for option in fields(TrainConfig)}
    of_run = {option.name for option in fields(Run)} - {"training"}
    assert not of_training & of_run
    for made in MODEL_CONFIGS.values():
        assert not {option.name for option in fields(made)} & (of_training | of_run)
