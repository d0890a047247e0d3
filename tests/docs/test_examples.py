"""Python code blocks of the documentation."""

import re
from pathlib import Path

import pytest
import torch

import fastlatent
from fastlatent.experiments import Run
from fastlatent.experiments.export import export
from fastlatent.models import mlp_decoder, mlp_encoder
from fastlatent.models.configs import AEConfig
from fastlatent.train import TrainConfig

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def blocks(page):
    """Python code blocks of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def examples(*pages):
    """Parametrization over the Python code blocks of pages."""
    return pytest.mark.parametrize(
        "code",
        [pytest.param(code, id=f"{page}-{number}") for page in pages for number, code in enumerate(blocks(page))],
    )


@examples("README.md", "docs/index.md", "docs/training.md")
def test_example_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encoder, decoder = mlp_encoder((1, 8, 8), 8, ()), mlp_decoder((1, 8, 8), 8, ())
    before = [p.clone() for p in encoder.parameters()]
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()])
    names = {"torch": torch, "encoder": encoder, "decoder": decoder, "optimizer": optimizer}
    exec(code.replace("epochs=100", "epochs=1"), names | {"batches": torch.rand(2, 5, 1, 8, 8)})
    trained = any(not torch.equal(p, q) for p, q in zip(before, encoder.parameters(), strict=True))
    assert trained or list(tmp_path.glob("runs/*/model.safetensors"))


@examples("docs/data.md", "docs/pairwise.md", "docs/sliced.md")
def test_short_example_runs(code):
    x, y = torch.randn(7, 3), torch.randn(9, 3)
    exec(code, {"fastlatent": fastlatent, **vars(fastlatent), "z": x, "x": x, "y": y, "w": torch.rand(7)})


def test_examples_of_runs_run_in_order(tmp_path, monkeypatch):
    pytest.importorskip("pytorch_lightning", reason="pip install 'fastlatent[lightning]'")
    monkeypatch.chdir(tmp_path)
    mine = Path("runs/mine")
    Run(AEConfig(hidden=(8,)), TrainConfig(epochs=1, batch_size=500, run_dir=mine)).fit()
    export(mine, Path())
    names = {"images": torch.rand(70, 1, 8, 8), "labels": torch.zeros(70, dtype=torch.long)}
    for code in blocks("docs/runs.md"):
        exec(code, names)
    assert names["codes"].shape == (70, 8)
    assert Path("runs/again/model.safetensors").read_bytes() == (mine / "model.safetensors").read_bytes()
