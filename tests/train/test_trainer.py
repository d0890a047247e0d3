"""`fit`: results, run folder, options."""

import json
from dataclasses import replace

import pytest
import torch
import yaml

from fastlatent.data import load
from fastlatent.models import Phase
from fastlatent.models.configs import AAESemiSupervisedConfig, AEConfig, WAEMMDConfig
from fastlatent.train import TrainConfig, fit, load_checkpoint, read_metrics
from fastlatent.train.optim import build_adam

SMALL = WAEMMDConfig(latent_dim=2, hidden=(32,))


def train(run_dir, seed=0, epochs=3):
    torch.manual_seed(seed)
    data = load("digits")
    model = SMALL.build(data.shape)
    return model, fit(model, data, TrainConfig(epochs=epochs, seed=seed, run_dir=run_dir, accelerator="cpu"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "run", epochs=10)


def test_training_reduces_the_test_loss(trained):
    _, result = trained
    first, last = result.history[0], result.history[-1]
    assert last["test/autoencoder/loss"] < 0.8 * first["test/autoencoder/loss"]


def test_run_dir_holds_options_metrics_and_weights(trained):
    model, result = trained
    config = yaml.safe_load((result.run_dir / "config.yaml").read_text())
    assert (config["model"], config["data"], config["epochs"], config["lr"]) == ("wae", "digits", 10, TrainConfig().lr)
    assert read_metrics(result.run_dir) == json.loads(json.dumps(result.history))
    other = SMALL.build((1, 8, 8))
    load_checkpoint(result.run_dir, other)
    for name, weight in other.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name])


def test_seed_determines_the_run(tmp_path):
    runs = [train(tmp_path / str(i), seed)[0].state_dict() for i, seed in enumerate([3, 3, 4])]
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])
    assert not all(torch.equal(runs[0][name], runs[2][name]) for name in runs[0])


def test_labeled_phase_is_trained_on_labeled_examples_only(tmp_path, monkeypatch):
    data = load("digits")
    few_labels = replace(data, train=data.train.keep_labels(2))
    model = AAESemiSupervisedConfig(hidden=(8,)).build(data.shape)
    batches = []
    loss = model.classification_loss
    monkeypatch.setattr(model, "classification_loss", lambda batch, context: batches.append(batch) or loss(batch))
    fit(model, few_labels, TrainConfig(epochs=1, accelerator="cpu", run_dir=tmp_path / "run"))
    assert {len(batch.x) for batch in batches[:-1]} == {64}  # the last one is test data
    labels = torch.bincount(torch.cat([batch.label for batch in batches[:-1]]))  # it rejects −1
    assert len(labels) == 10
    assert labels.min() > 0.5 * labels.float().mean()


def test_labels_beyond_the_models_classes_are_rejected_before_any_write(tmp_path):
    model = AAESemiSupervisedConfig(hidden=(8,), num_classes=7).build((1, 8, 8))
    with pytest.raises(ValueError, match="labels must be below 7, the model's classes; got 9"):
        fit(model, load("digits"), TrainConfig(run_dir=tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("constant", "last"), [(False, 0.0), (True, 0.1)])
def test_learning_rate_schedules(constant, last):
    phase = Phase("one", (torch.nn.Parameter(torch.zeros(1)),), dict)
    optimizer, schedule = build_adam(phase, 0.1, 10, constant=constant)
    rates = []
    for _ in range(10):
        optimizer.step()
        schedule.step()
        rates += schedule.get_last_lr()
    assert rates[4] == pytest.approx((0.1 + last) / 2)
    assert rates[-1] == pytest.approx(last, abs=1e-12)


def test_nonempty_run_dir_is_rejected(trained):
    with pytest.raises(FileExistsError, match="is not an empty folder"):
        train(trained[1].run_dir)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TrainConfig(epochs=0), "epochs must be an integer >= 1; got 0"),
        (TrainConfig(batch_size=5000), "batch_size must be at most 1347"),
        (TrainConfig(lr=0.0), "lr must be"),
        (TrainConfig(seed=-1), "seed must be"),
        (TrainConfig(checkpoint_seconds=-1.0), "checkpoint_seconds must be a finite number >= 0; got -1.0"),
        (TrainConfig(checkpoint_steps=0), "checkpoint_steps must be an integer >= 1; got 0"),
        (TrainConfig(checkpoint_epochs=0), "checkpoint_epochs must be an integer >= 1; got 0"),
        (TrainConfig(figures_every=0), "figures_every must be an integer >= 1; got 0"),
        (TrainConfig(keep_last=0), "keep_last must be an integer >= 1; got 0"),
        (TrainConfig(logger="paper"), "logger must be one of 'tensorboard', 'wandb', 'mlflow'; got 'paper'"),  # type: ignore[arg-type]
        (TrainConfig(accelerator="abacus"), "accelerator must be one of"),  # type: ignore[arg-type]
    ],
)
def test_invalid_options_are_named(config, message):
    data = load("digits")
    with pytest.raises(ValueError, match=message):
        fit(AEConfig(hidden=()).build(data.shape), data, config)
