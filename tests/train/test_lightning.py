"""A Lightning trainer gives the same weights as `fit`."""

import subprocess
import sys

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from fastlatent.data import load
from fastlatent.models import MODEL_CONFIGS
from fastlatent.train import TrainConfig, fit

pl = pytest.importorskip("pytorch_lightning", reason="pip install 'fastlatent[lightning]'")

from fastlatent.train.lightning import LightningAutoencoder  # noqa: E402

pytestmark = pytest.mark.slow

BATCH, LR, SEED = 200, 1e-3, 5


def prepare(name):
    data = load("digits")
    torch.manual_seed(SEED)
    return MODEL_CONFIGS[name](hidden=(16,)).build(data.shape), data


def loader(batches):
    return DataLoader(
        batches, batch_size=None, generator=torch.Generator()
    )  # a loader without a generator draws from torch's default one


def trainer(folder, **options):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    return pl.Trainer(accelerator="cpu", max_epochs=1, default_root_dir=folder, logger=False, **quiet, **options)


@pytest.mark.parametrize("name", ["wae-mmd", "wae-gan", "acai", "aae-semi-supervised", "vae", "vq-vae"])
def test_lightning_trainer_matches_fit(name, tmp_path):
    model, data = prepare(name)
    fit(
        model,
        data,
        TrainConfig(epochs=1, batch_size=BATCH, lr=LR, seed=SEED, run_dir=tmp_path / "run", accelerator="cpu"),
    )

    other, _ = prepare(name)
    batches = list(data.train.shuffled(BATCH, torch.Generator().manual_seed(SEED)))
    torch.manual_seed(SEED)
    trainer(tmp_path).fit(LightningAutoencoder(other, LR), loader(batches))
    for key, weight in model.state_dict().items():
        assert torch.equal(other.state_dict()[key], weight), key


def test_training_and_validation_terms_are_logged(tmp_path):
    model, data = prepare("wae-gan")
    batch = data.test[:BATCH]
    logging_trainer = trainer(tmp_path, log_every_n_steps=1)
    logging_trainer.fit(LightningAutoencoder(model), loader([data.train[:BATCH]] * 2), loader([batch]))
    terms = {f"{phase.name}/{term}" for phase in model.phases() for term in phase.loss(batch)}
    assert {f"{split}/{term}" for split in ("train", "val") for term in terms} <= set(logging_trainer.logged_metrics)
    phase = next(phase for phase in model.phases() if phase.name == "autoencoder")
    error = phase.loss(batch)["reconstruction"].item()
    assert logging_trainer.logged_metrics["val/autoencoder/reconstruction"] == pytest.approx(error, rel=1e-5)


def test_data_loader_pairs_are_batches(tmp_path):
    model, data = prepare("wae-mmd")
    initial = [parameter.clone() for parameter in model.parameters()]
    pairs = TensorDataset(*data.train[:BATCH])
    trainer(tmp_path).fit(LightningAutoencoder(model), DataLoader(pairs, batch_size=100, shuffle=True))
    assert not any(torch.equal(one, other) for one, other in zip(initial, model.parameters(), strict=True))


def test_missing_lightning_names_the_package_to_install():
    code = """
import sys
sys.modules.update({"lightning": None, "lightning.pytorch": None, "pytorch_lightning": None})
import fastlatent.train.lightning
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert "LightningAutoencoder needs Lightning: pip install lightning" in result.stderr
