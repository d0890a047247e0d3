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
from tests.train.runs import fall, result, train

MODELS = ["wae-mmd", "swae", "ae-dropout", "vq-vae", "acai-wwae", "aae-semi-supervised", "wae-gan"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("step", [2, 7], ids=["before the first checkpoint", "after it"])
def test_a_run_that_fell_goes_on_bit_for_bit(tmp_path, monkeypatch, name, step):
    ends_as_if_it_had_not_fallen(monkeypatch, tmp_path, step, name=name)


def ends_as_if_it_had_not_fallen(monkeypatch, folder, step, **options):
    train(folder / "whole", checkpoint_steps=3, **options)
    fall(monkeypatch, folder / "fell", step, **options)
    torch.manual_seed(99)  # another process has other numbers
    train(folder / "fell", resume=True, checkpoint_steps=3, **options)
    assert result(folder / "fell") == result(folder / "whole")


HOW = [
    {"network": "conv", "channels_last": True},
    {"precision": "bf16-mixed"},
    {"precision": "64"},
    {"name": "aae-semi-supervised", "labels": 5},
]


@pytest.mark.parametrize("options", HOW, ids=str)
def test_so_it_does_however_it_computes(tmp_path, monkeypatch, options):
    ends_as_if_it_had_not_fallen(monkeypatch, tmp_path, 7, **options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
@pytest.mark.parametrize("captured", [False, True])
def test_on_a_gpu_it_goes_on_with_the_same_numbers(tmp_path, monkeypatch, captured):
    options = {"epochs": 4, "accelerator": "cuda", "precision": "64", "cuda_graph": captured}
    whole, _ = train(tmp_path / "whole", **options)
    fall(monkeypatch, tmp_path / "fell", 10, **options)
    torch.manual_seed(99)
    fell, _ = train(tmp_path / "fell", resume=True, **options)
    # but for rounding of float64, as sums there are in no fixed order, and some steps of Adam
    torch.testing.assert_close(fell.state_dict(), whole.state_dict(), rtol=1e-6, atol=1e-9)


def test_a_rate_on_the_device_stays_where_a_captured_step_reads_it():
    model, fabric = AEConfig(hidden=()).build((1, 8, 8)), Fabric(accelerator="cpu")
    mover = PhaseOptimizer(fabric, fabric.setup_module(PhaseLossModule(model)), model.phases()[0], TrainConfig(), 10)
    (group,) = mover.optimizer.param_groups
    group["lr"] = torch.tensor(0.25)
    state = copy.deepcopy(mover.state_dict())
    rate = group["lr"] = torch.tensor(0.5)
    mover.load_state_dict(state)
    assert mover.optimizer.param_groups[0]["lr"] is rate
    assert rate == 0.25


def flipped(path):
    """One bit of a tensor."""
    data = bytearray((path / "state.safetensors").read_bytes())
    data[-100] ^= 1
    (path / "state.safetensors").write_bytes(data)


def truncated(path):
    """The end is missing."""
    data = (path / "state.safetensors").read_bytes()
    (path / "state.safetensors").write_bytes(data[: len(data) // 2])


def altered(path):
    """Another number, in its place."""
    state = json.loads((path / "state.json").read_text())
    state["step"] += 1
    (path / "state.json").write_text(json.dumps(state))


def without_its_sums(path):
    """A file is missing."""
    (path / "SHA256SUMS").unlink()


def emptied(path):
    """A file of no bytes."""
    (path / "SHA256SUMS").write_text("")


DAMAGES = [flipped, truncated, altered, without_its_sums, emptied]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_checkpoint_is_named_and_the_one_before_serves(tmp_path, monkeypatch, capsys, damage):
    train(tmp_path / "whole")
    fall(monkeypatch, tmp_path / "fell", 7)
    newest = tmp_path / "fell" / "checkpoints" / "step-000000006"
    damage(newest)
    train(tmp_path / "fell", resume=True)
    said = capsys.readouterr().err
    assert f"checkpoint {newest} is damaged" in said
    assert f"going on after step 3 of epoch 1, from {newest.with_name('step-000000003')}" in said
    assert result(tmp_path / "fell") == result(tmp_path / "whole")


def test_when_all_checkpoints_are_damaged_nothing_is_guessed(tmp_path, monkeypatch):
    fall(monkeypatch, tmp_path / "run", 7)
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        flipped(path)
    with pytest.raises(OSError, match=r"no checkpoint in .* is whole .*state.safetensors is not as it was written"):
        train(tmp_path / "run", resume=True)


def test_nothing_is_unpickled(tmp_path, monkeypatch):
    fall(monkeypatch, tmp_path / "run", 7)
    for module, name in [(pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")]:
        monkeypatch.setattr(module, name, None)
    model, _ = train(tmp_path / "run", resume=True)
    load_checkpoint(tmp_path / "run", model)


def test_a_finished_run_says_so_and_stays_as_it_is(tmp_path, capsys):
    train(tmp_path / "run")
    before = result(tmp_path / "run")
    train(tmp_path / "run", resume=True)
    assert "is finished: there is nothing to go on with" in capsys.readouterr().err
    assert result(tmp_path / "run") == before


def test_a_run_is_not_resumed_with_other_options_or_another_model(tmp_path):
    train(tmp_path / "run")
    with pytest.raises(ValueError, match=r"batch_size of the run in .* is 300; got 200"):
        train(tmp_path / "run", resume=True, batch_size=200)
    with pytest.raises(ValueError, match="is of another model or other data"):
        train(tmp_path / "run", "acai", resume=True)
    with pytest.raises(FileNotFoundError, match="is no run folder"):
        train(tmp_path / "nowhere", resume=True)


def test_the_last_checkpoints_are_kept(tmp_path):
    train(tmp_path / "run", checkpoint_steps=1, keep_last=3)
    kept = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert kept == ["step-000000006", "step-000000007", "step-000000008"]


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
    kept = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert kept == [f"step-{step:09d}" for step in steps]


def test_the_best_weights_are_those_of_the_least_loss_on_test_data(tmp_path, monkeypatch):
    advance, after_first = TrainingState.advance, {}

    def spoils(state, batch):
        """The second epoch spoils what the first learned."""
        advance(state, batch)
        if state.total == 4:
            after_first.update({name: value.clone() for name, value in state.model.state_dict().items()})
        if state.total == 8:
            for parameter in state.model.parameters():
                parameter.data *= 100

    monkeypatch.setattr(TrainingState, "advance", spoils)
    _, done = train(tmp_path / "run")
    losses = [record["test/autoencoder/loss"] for record in done.history]
    assert losses[0] < losses[1]
    best = load_file(tmp_path / "run" / "best.safetensors")
    assert best.keys() == after_first.keys()
    assert all(torch.equal(best[name], value) for name, value in after_first.items())
