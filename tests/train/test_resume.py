"""Resumed runs are bitwise identical to uninterrupted ones; corrupt checkpoints are detected."""

import copy
import json
import pickle

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from fastlatent.models.configs import AEConfig
from fastlatent.train import TrainConfig, load_checkpoint
from fastlatent.train.phase_optimizer import PhaseLossModule, PhaseOptimizer
from fastlatent.train.state import TrainingState
from tests.train.runs import crash_at, result, train

pytestmark = pytest.mark.slow

MODELS = ["wae-mmd", "swae", "ae-dropout", "vq-vae", "acai-wwae", "aae-semi-supervised", "wae-gan"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("step", [2, 7], ids=["before the first checkpoint", "after it"])
def test_resume_is_bitwise_identical(tmp_path, monkeypatch, name, step):
    check_resume(monkeypatch, tmp_path, step, name=name)


def check_resume(monkeypatch, folder, step, **options):
    train(folder / "whole", checkpoint_steps=3, **options)
    crash_at(monkeypatch, folder / "crashed", step, **options)
    torch.manual_seed(99)  # another process has another generator state
    train(folder / "crashed", resume=True, checkpoint_steps=3, **options)
    assert result(folder / "crashed") == result(folder / "whole")


COMPUTATION_OPTIONS = [
    {"network": "conv", "channels_last": True},
    {"precision": "bf16-mixed"},
    {"precision": "64"},
    {"name": "aae-semi-supervised", "labels": 5},
]


@pytest.mark.parametrize("options", COMPUTATION_OPTIONS, ids=str)
def test_resume_is_bitwise_identical_with_options_of_computation(tmp_path, monkeypatch, options):
    check_resume(monkeypatch, tmp_path, 7, **options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("cuda_graph", [False, True])
def test_resume_on_a_gpu_is_identical_up_to_rounding(tmp_path, monkeypatch, cuda_graph):
    options = {"epochs": 4, "accelerator": "cuda", "precision": "64", "cuda_graph": cuda_graph}
    whole, _ = train(tmp_path / "whole", **options)
    crash_at(monkeypatch, tmp_path / "crashed", 10, **options)
    torch.manual_seed(99)
    resumed, _ = train(tmp_path / "crashed", resume=True, **options)
    # rounding of float64, since sums on a GPU have no fixed order, after some steps of Adam
    torch.testing.assert_close(resumed.state_dict(), whole.state_dict(), rtol=1e-6, atol=1e-9)


def test_learning_rate_tensor_is_updated_in_place():
    model, fabric = AEConfig(hidden=()).build((1, 8, 8)), Fabric(accelerator="cpu")
    phase = PhaseOptimizer(fabric, fabric.setup_module(PhaseLossModule(model)), model.phases()[0], TrainConfig(), 10)
    (group,) = phase.optimizer.param_groups
    group["lr"] = torch.tensor(0.25)
    state = copy.deepcopy(phase.state_dict())
    rate = group["lr"] = torch.tensor(0.5)
    phase.load_state_dict(state)
    assert phase.optimizer.param_groups[0]["lr"] is rate
    assert rate == 0.25


def flip_bit(path):
    """Flip one bit of a tensor."""
    data = bytearray((path / "state.safetensors").read_bytes())
    data[-100] ^= 1
    (path / "state.safetensors").write_bytes(data)


def truncate(path):
    """Remove the second half of a file."""
    data = (path / "state.safetensors").read_bytes()
    (path / "state.safetensors").write_bytes(data[: len(data) // 2])


def alter(path):
    """Change a number."""
    state = json.loads((path / "state.json").read_text())
    state["step"] += 1
    (path / "state.json").write_text(json.dumps(state))


def remove_checksums(path):
    """Remove a file."""
    (path / "SHA256SUMS").unlink()


def empty(path):
    """Empty a file."""
    (path / "SHA256SUMS").write_text("")


CORRUPTIONS = [flip_bit, truncate, alter, remove_checksums, empty]


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda corrupt: corrupt.__name__)
def test_corrupt_checkpoint_is_named_and_the_previous_one_is_used(tmp_path, monkeypatch, capsys, corrupt):
    train(tmp_path / "whole")
    crash_at(monkeypatch, tmp_path / "crashed", 7)
    newest = tmp_path / "crashed" / "checkpoints" / "step-000000006"
    corrupt(newest)
    train(tmp_path / "crashed", resume=True)
    err = capsys.readouterr().err
    assert f"checkpoint {newest} is corrupt" in err
    assert f"resuming after step 3 of epoch 1, from {newest.with_name('step-000000003')}" in err
    assert result(tmp_path / "crashed") == result(tmp_path / "whole")


def test_resume_fails_if_all_checkpoints_are_corrupt(tmp_path, monkeypatch):
    crash_at(monkeypatch, tmp_path / "run", 7)
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        flip_bit(path)
    with pytest.raises(
        OSError, match=r"all checkpoints in .* are corrupt .*state.safetensors differs from its checksum"
    ):
        train(tmp_path / "run", resume=True)


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    crash_at(monkeypatch, tmp_path / "run", 7)
    for module, name in [(pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")]:
        monkeypatch.setattr(module, name, None)
    model, _ = train(tmp_path / "run", resume=True)
    load_checkpoint(tmp_path / "run", model)


def test_resume_of_a_finished_run_changes_nothing(tmp_path, capsys):
    train(tmp_path / "run")
    expected = result(tmp_path / "run")
    train(tmp_path / "run", resume=True)
    assert "is finished: nothing to resume" in capsys.readouterr().err
    assert result(tmp_path / "run") == expected


def test_resume_with_other_options_or_another_model_is_rejected(tmp_path):
    train(tmp_path / "run")
    with pytest.raises(ValueError, match=r"batch_size of the run in .* is 300; got 200"):
        train(tmp_path / "run", resume=True, batch_size=200)
    with pytest.raises(ValueError, match="is of another model or other data"):
        train(tmp_path / "run", "acai", resume=True)
    with pytest.raises(FileNotFoundError, match="is not a run folder"):
        train(tmp_path / "nowhere", resume=True)


def test_last_checkpoints_are_kept(tmp_path):
    train(tmp_path / "run", checkpoint_steps=1, keep_last=3)
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["step-000000006", "step-000000007", "step-000000008"]


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"checkpoint_seconds": 0.0}, range(1, 9)),
        ({"checkpoint_epochs": 1}, [4, 8]),
        ({"checkpoint_steps": 3}, [3, 6, 8]),
        ({}, [8]),
    ],
    ids=str,
)
def test_checkpoints_are_written_when_due_and_at_the_end(tmp_path, options, steps):
    train(tmp_path / "run", keep_last=100, **options)
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == [f"step-{step:09d}" for step in steps]


def test_best_weights_have_the_minimal_test_loss(tmp_path, monkeypatch):
    train_step, first_epoch = TrainingState.train_step, {}

    def spoil(state, batch):
        """Scale the weights by 100 at the end of the second epoch."""
        train_step(state, batch)
        if state.total_steps == 4:
            first_epoch.update({name: value.clone() for name, value in state.model.state_dict().items()})
        if state.total_steps == 8:
            for parameter in state.model.parameters():
                parameter.data *= 100

    monkeypatch.setattr(TrainingState, "train_step", spoil)
    _, run = train(tmp_path / "run")
    losses = [record["test/autoencoder/loss"] for record in run.history]
    assert losses[0] < losses[1]
    best = load_file(tmp_path / "run" / "best.safetensors")
    assert best.keys() == first_epoch.keys()
    assert all(torch.equal(best[name], value) for name, value in first_epoch.items())
