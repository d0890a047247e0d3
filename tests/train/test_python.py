"""`fit` in scripts, notebooks and threads gives the same weights."""

import asyncio
import threading

import pytest
import torch

from fastlatent.data import load
from fastlatent.models.configs.base import DropoutAEConfig
from fastlatent.train import TrainConfig, fit

pytestmark = pytest.mark.slow


def train(run_dir, mode=True):
    data = load("digits")
    torch.manual_seed(1)
    model = DropoutAEConfig(latent_dim=4, hidden=(16,)).build(data.shape).train(mode)
    fit(model, data, TrainConfig(epochs=1, batch_size=200, seed=1, run_dir=run_dir, accelerator="cpu"))
    return (run_dir / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "run")


def test_in_a_running_event_loop(weights, tmp_path):
    async def cell():
        return train(tmp_path / "run")

    assert asyncio.run(cell()) == weights


def test_in_a_thread(weights, tmp_path):
    results = []
    thread = threading.Thread(target=lambda: results.append(train(tmp_path / "run")))
    thread.start()
    thread.join()
    assert results == [weights]


def test_with_a_model_in_evaluation_mode(weights, tmp_path):
    assert train(tmp_path / "run", mode=False) == weights


def test_default_run_dir_is_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = load("digits")
    model = DropoutAEConfig(latent_dim=4, hidden=(16,)).build(data.shape)
    result = fit(model, data, TrainConfig(epochs=1, batch_size=500))
    assert result.run_dir.parent.name == "runs"
    assert result.run_dir.name.startswith("dropoutautoencoder-digits-")
    assert result.history[-1]["epoch"] == 1
