"""`fit` as scripts and notebooks call it: wherever it runs, whatever the model did before, the same weights."""

import asyncio
import threading

import pytest
import torch

from fastlatent.data import load
from fastlatent.models.configs.base import DropoutAEConfig
from fastlatent.train import TrainConfig, fit


def train(out, mode=True):
    data = load("digits")
    torch.manual_seed(1)
    model = DropoutAEConfig(latent_dim=4, hidden=(16,)).build(data.shape).train(mode)
    fit(model, data, TrainConfig(epochs=1, batch_size=200, seed=1, out=out, accelerator="cpu"))
    return (out / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "run")


def test_in_a_running_event_loop_as_notebooks_have_one(weights, tmp_path):
    async def cell():
        return train(tmp_path / "run")

    assert asyncio.run(cell()) == weights


def test_in_a_thread(weights, tmp_path):
    made = []
    thread = threading.Thread(target=lambda: made.append(train(tmp_path / "run")))
    thread.start()
    thread.join()
    assert made == [weights]


def test_with_a_model_that_was_evaluated(weights, tmp_path):
    assert train(tmp_path / "run", mode=False) == weights


def test_a_run_in_the_working_directory_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = load("digits")
    model = DropoutAEConfig(latent_dim=4, hidden=(16,)).build(data.shape)
    done = fit(model, data, TrainConfig(epochs=1, batch_size=500))
    assert done.folder.parent.name == "runs"
    assert done.folder.name.startswith("dropoutautoencoder-digits-")
    assert done.history[-1]["epoch"] == 1
