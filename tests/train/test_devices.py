"""Training by two processes, each with half of every batch: what comes out is what one process gives."""

import os
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.multiprocessing as mp

from fastlatent.data import Batch, load
from fastlatent.models import MODEL_CONFIGS
from fastlatent.train import TrainConfig, TrainingResult, fit, read_metrics
from fastlatent.train.signals import TrainingInterrupted
from fastlatent.train.state import TrainingState
from tests.models.base.test_data_parallel import interpolate_local_neighbors
from tests.train.runs import TIMED

RANKS = 2
NORMALISED = ("aae-clustering", "aae-semi-supervised", "aae-dimension-reduction")  # by the moments of a rank's batch
MODELS = [name for name, made in MODEL_CONFIGS.items() if made.data_kind == "images" and name not in NORMALISED]
DIGITS = load("digits")
DATA = replace(DIGITS, train=DIGITS.train.keep_labels(3))


def train(name: str, out: Path, resume: bool = False, **options: Any) -> tuple[dict[str, torch.Tensor], TrainingResult]:
    """Train a small model in float64, where rounding does not hide what is wrong; its weights at the end."""
    torch.manual_seed(5)
    model = MODEL_CONFIGS[name](hidden=(16,)).build(DATA.shape)  # type: ignore[call-arg]
    if "devices" not in options:
        interpolate_local_neighbors(model)
    config = TrainConfig(
        epochs=2, batch_size=200, precision="64", accelerator="cpu", log_every=2, out=out, checkpoint_seconds=1e9,
        **options,
    )  # fmt: skip
    done = fit(model, DATA, config, name=name, resume=resume)
    return model.state_dict(), done


def stop_at(step: int) -> Any:
    """`TrainingState.advance` of a process that is asked to stop at this step."""
    advance = TrainingState.advance

    def advance_and_stop(state: TrainingState, batch: Batch) -> None:
        advance(state, batch)
        if state.total == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return advance_and_stop


def rank_main(rank: int, port: int, folder: Path) -> None:
    """What each process does: it trains every model; then one is asked to stop, and both go on from there."""
    torch.set_num_threads(1)
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "test", "GROUP_RANK": "0",
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(RANKS), "LOCAL_WORLD_SIZE": str(RANKS),
    }  # fmt: skip
    found = {name: train(name, folder / name, devices=RANKS) for name in MODELS}
    advance = TrainingState.advance
    if rank == 1:
        TrainingState.advance = stop_at(step=7)  # type: ignore[method-assign]
    with pytest.raises(TrainingInterrupted, match="stopped after step 2 of epoch 2"):
        train("wae-mmd", folder / "stopped", devices=RANKS)
    TrainingState.advance = advance  # type: ignore[method-assign]
    found["stopped"] = train("wae-mmd", folder / "stopped", resume=True, devices=RANKS)
    torch.save(
        {name: (weights, done.history, done.leads) for name, (weights, done) in found.items()}, folder / f"{rank}.pt"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(rank_main, args=(port, folder), nprocs=RANKS)
    return folder


def untimed(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in record.items() if name not in TIMED} for record in history]


@pytest.mark.parametrize("name", [*MODELS, "stopped"])
def test_two_processes_end_with_the_weights_and_metrics_of_one(folder, tmp_path, name):
    weights, done = train("wae-mmd" if name == "stopped" else name, tmp_path / "one")
    for rank in range(RANKS):
        found, history, leads = torch.load(folder / f"{rank}.pt")[name]
        torch.testing.assert_close(found, weights, rtol=1e-6, atol=1e-9)
        assert untimed(history) == [pytest.approx(record, rel=1e-6) for record in untimed(done.history)]
        assert leads == (rank == 0)
    assert read_metrics(folder / name) == torch.load(folder / "0.pt")[name][1]


def test_a_strategy_that_splits_the_model_is_refused():
    with pytest.raises(ValueError, match="strategy must be one of 'auto', 'ddp'; got 'fsdp'"):
        TrainConfig(strategy="fsdp").check()  # type: ignore[arg-type]


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(ValueError, match="batch_size must be a multiple of devices · num_nodes = 6; got 400"):
        TrainConfig(batch_size=400, devices=3, num_nodes=2).check()
