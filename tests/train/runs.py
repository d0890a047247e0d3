"""Short trainings, in this process or in a child process."""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fastlatent.data import Batch, load
from fastlatent.models import MODEL_CONFIGS, GenerativeModel
from fastlatent.train import TrainConfig, TrainingResult, fit, read_metrics
from fastlatent.train.state import TrainingState

DIGITS = load("digits")
TIMINGS = ("seconds", "examples_per_second")  # fields of a record that differ between equal runs


def train(
    run_dir: Path,
    name: str = "wae-mmd",
    resume: bool = False,
    network: str = "mlp",
    labels: int | None = None,
    **options: Any,
) -> tuple[GenerativeModel, TrainingResult]:
    """Train a small named model on digits with `labels` labeled examples per class, or resume its run."""
    config = {"epochs": 2, "batch_size": 300, "seed": 5, "accelerator": "cpu", "checkpoint_seconds": 1e9, **options}
    torch.manual_seed(5)
    model = MODEL_CONFIGS[name](hidden=(16,), network=network).build(DIGITS.shape)  # type: ignore[call-arg]
    data = DIGITS if labels is None else replace(DIGITS, train=DIGITS.train.keep_labels(labels))
    return model, fit(model, data, TrainConfig(run_dir=run_dir, **config), name=name, resume=resume)


class SimulatedCrash(Exception):
    """Crash of the process between two steps."""


def crash_at(monkeypatch: pytest.MonkeyPatch, run_dir: Path, step: int, **options: Any) -> None:
    """Train with a checkpoint every three steps, and crash after this step."""
    train_step = TrainingState.train_step

    def crash(state: TrainingState, batch: Batch) -> None:
        if state.total_steps == step:
            raise SimulatedCrash
        train_step(state, batch)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "train_step", crash)
        with pytest.raises(SimulatedCrash):
            train(run_dir, checkpoint_steps=3, **options)


def start_or_resume(run_dir: Path, **options: Any) -> tuple[GenerativeModel, TrainingResult]:
    """Start the run, or resume it if it was started."""
    return train(run_dir, resume=(run_dir / "config.yaml").exists(), **options)


def result(run: Path) -> tuple[bytes, bytes, list[dict[str, float]]]:
    """Return the weights of a run, its best weights, and its metrics except timings."""
    metrics = [{k: v for k, v in line.items() if k not in TIMINGS} for line in read_metrics(run)]
    return (run / "model.safetensors").read_bytes(), (run / "best.safetensors").read_bytes(), metrics


def in_child(function: Callable[[], Any]) -> Any:
    """Run the function in a forked process, with stderr discarded."""

    def run() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        function()

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    return child
