"""Runs on files and folders of a user."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fastlatent.data.point_clouds import to_unit_sphere
from fastlatent.experiments import Run, read_run
from fastlatent.models import MODEL_CONFIGS
from fastlatent.train import TrainConfig

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(0)


def photographs(folder):
    x = RANDOM.integers(256, size=(24, 32, 32, 3), dtype=np.uint8)
    np.savez(folder / "data.npz", x_train=x[:16], x_test=x[16:], y_train=np.arange(16) % 3)
    return folder / "data.npz"


def table(folder):
    rows = "".join(f"{i},{'red' if i % 3 else 'blue'},{i % 2}\n" for i in range(24))
    (folder / "data.csv").write_text("number,color,kind\n" + rows)
    return folder / "data.csv"


def cells(folder):
    np.savez(folder / "data.npz", counts=RANDOM.poisson(2.0, size=(24, 50)), label=np.arange(24) % 3)
    return folder / "data.npz"


def clouds(folder):
    np.save(folder / "data.npy", to_unit_sphere(RANDOM.normal(size=(24, 20, 3))))
    return folder / "data.npy"


CASES = [
    ("wae-mmd", photographs, {"hidden": (8,)}, {}),
    ("wae-mmd", photographs, {"network": "conv"}, {}),
    ("acai", photographs, {"network": "acai", "latent_dim": 32}, {}),
    ("wae-mmd", photographs, {"network": "conv"}, {"image_size": 16}),
    ("tabular", table, {"hidden": (8,)}, {"label": "kind"}),
    ("tabular", cells, {"hidden": (8,)}, {}),
    ("aae3d", clouds, {"hidden": (8,), "features": (8,)}, {"points": 16}),
]


@pytest.mark.parametrize(("name", "write", "model", "data_options"), CASES)
def test_run_on_own_data_round_trip(tmp_path, name, write, model, data_options):
    training = TrainConfig(epochs=1, batch_size=8, accelerator="cpu", run_dir=tmp_path / "run")
    run = Run(MODEL_CONFIGS[name](**model), training, data=str(write(tmp_path)), **data_options)
    untrained, data = run.prepare()
    trained = run.fit().model
    assert any(not torch.equal(p, q) for p, q in zip(untrained.parameters(), trained.parameters(), strict=True))
    loaded = read_run(tmp_path / "run")
    assert loaded == run
    assert torch.equal(loaded.load_data().train.x, data.train.x)


def test_download_is_not_stored():
    run = Run(MODEL_CONFIGS["ae"](), data="mnist", download=True)
    assert "download" not in run.options()
    assert "data" in run.options()


def test_data_of_another_kind_is_rejected(tmp_path):
    run = Run(MODEL_CONFIGS["ae"](), data=str(table(tmp_path)))
    with pytest.raises(ValueError, match="this model takes images; got data, which has rows"):
        run.load_data()
    with pytest.raises(ValueError, match="image_size is an option of images"):
        replace(run, image_size=8).load_data()
