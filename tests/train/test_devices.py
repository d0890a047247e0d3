"""Data-parallel training: two processes with half of every batch each give the result of one process."""

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
from tests.models.base.local_neighbors import interpolate_local_neighbors
from tests.train.runs import TIMINGS

pytestmark = pytest.mark.slow

RANKS = 2
BATCH_NORMALIZED = (
    "aae-clustering",
    "aae-semi-supervised",
    "aae-dimension-reduction",
)  # batch normalization uses the moments of a rank's batch
MODELS = [
    name for name, config in MODEL_CONFIGS.items() if config.data_kind == "images" and name not in BATCH_NORMALIZED
]
DIGITS = load("digits")
DATA = replace(DIGITS, train=DIGITS.train.keep_labels(3))


def train(
    name: str, run_dir: Path, resume: bool = False, **options: Any
) -> tuple[dict[str, torch.Tensor], TrainingResult]:
    """Train a small model in float64, whose rounding hides no errors; return its final weights."""
    torch.manual_seed(5)
    model = MODEL_CONFIGS[name](hidden=(16,)).build(DATA.shape)  # type: ignore[call-arg]
    if "devices" not in options:
        interpolate_local_neighbors(model)
    config = TrainConfig(
        epochs=2, batch_size=200, precision="64", accelerator="cpu", log_every=2,
        run_dir=run_dir, checkpoint_seconds=1e9, **options,
    )  # fmt: skip
    result = fit(model, DATA, config, name=name, resume=resume)
    return model.state_dict(), result


def stop_at(step: int) -> Any:
    """Return a `TrainingState.train_step` that sends SIGTERM to its process at this step."""
    train_step = TrainingState.train_step

    def train_step_and_stop(state: TrainingState, batch: Batch) -> None:
        train_step(state, batch)
        if state.total_steps == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return train_step_and_stop


def rank_main(rank: int, port: int, folder: Path) -> None:
    """Train every model; then rank 1 receives SIGTERM, and both ranks stop and resume."""
    torch.set_num_threads(1)
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "test", "GROUP_RANK": "0",
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(RANKS), "LOCAL_WORLD_SIZE": str(RANKS),
    }  # fmt: skip
    results = {name: train(name, folder / name, devices=RANKS) for name in MODELS}
    train_step = TrainingState.train_step
    if rank == 1:
        TrainingState.train_step = stop_at(step=7)  # type: ignore[method-assign]
    with pytest.raises(TrainingInterrupted, match="stopped after step 2 of epoch 2"):
        train("wae-mmd", folder / "stopped", devices=RANKS)
    TrainingState.train_step = train_step  # type: ignore[method-assign]
    results["stopped"] = train("wae-mmd", folder / "stopped", resume=True, devices=RANKS)
    torch.save(
        {name: (weights, result.history, result.is_rank_zero) for name, (weights, result) in results.items()},
        folder / f"{rank}.pt",
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
    return [{name: value for name, value in record.items() if name not in TIMINGS} for record in history]


@pytest.mark.parametrize("name", [*MODELS, "stopped"])
def test_two_processes_match_one_process(folder, tmp_path, name):
    weights, result = train("wae-mmd" if name == "stopped" else name, tmp_path / "one")
    for rank in range(RANKS):
        rank_weights, history, is_rank_zero = torch.load(folder / f"{rank}.pt")[name]
        torch.testing.assert_close(rank_weights, weights, rtol=1e-6, atol=1e-9)
        assert untimed(history) == [pytest.approx(record, rel=1e-6) for record in untimed(result.history)]
        assert is_rank_zero == (rank == 0)
    assert read_metrics(folder / name) == torch.load(folder / "0.pt")[name][1]


def test_model_sharding_strategies_are_rejected():
    with pytest.raises(ValueError, match="strategy must be one of 'auto', 'ddp'; got 'fsdp'"):
        TrainConfig(strategy="fsdp").check()  # type: ignore[arg-type]


def test_batch_size_not_divisible_by_world_size_is_rejected():
    with pytest.raises(ValueError, match="batch_size must be a multiple of devices · num_nodes = 6; got 400"):
        TrainConfig(batch_size=400, devices=3, num_nodes=2).check()
