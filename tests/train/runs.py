"""Short trainings, in this process or in one that is killed."""

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
TIMED = ("seconds", "examples_per_second")  # the fields of a record that a run does not repeat


def train(
    out: Path,
    name: str = "wae-mmd",
    resume: bool = False,
    network: str = "mlp",
    labels: int | None = None,
    **options: Any,
) -> tuple[GenerativeModel, TrainingResult]:
    """Train a small model of this name on digits, with so many labels of each class, or go on with its run."""
    chosen = {"epochs": 2, "batch_size": 300, "seed": 5, "accelerator": "cpu", "checkpoint_seconds": 1e9, **options}
    torch.manual_seed(5)
    model = MODEL_CONFIGS[name](hidden=(16,), network=network).build(DIGITS.shape)  # type: ignore[call-arg]
    data = DIGITS if labels is None else replace(DIGITS, train=DIGITS.train.keep_labels(labels))
    return model, fit(model, data, TrainConfig(out=out, **chosen), name=name, resume=resume)


class Fell(Exception):
    """As if the machine had gone down."""


def fall(monkeypatch: pytest.MonkeyPatch, out: Path, step: int, **options: Any) -> None:
    """Train with a checkpoint every three steps until after this step."""
    advance = TrainingState.advance

    def falls(state: TrainingState, batch: Batch) -> None:
        if state.total == step:
            raise Fell
        advance(state, batch)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "advance", falls)
        with pytest.raises(Fell):
            train(out, checkpoint_steps=3, **options)


def go_on(out: Path, **options: Any) -> tuple[GenerativeModel, TrainingResult]:
    """Begin the run, or go on with it if it was begun."""
    return train(out, resume=(out / "config.yaml").exists(), **options)


def result(run: Path) -> tuple[bytes, bytes, list[dict[str, float]]]:
    """What a run ends with: its weights, the best ones, and its metrics but for the speed."""
    metrics = [{k: v for k, v in line.items() if k not in TIMED} for line in read_metrics(run)]
    return (run / "model.safetensors").read_bytes(), (run / "best.safetensors").read_bytes(), metrics


def in_child(work: Callable[[], Any]) -> Any:
    """Do it in a process of its own that has everything imported already, and says nothing."""

    def quietly() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        work()

    child = multiprocessing.get_context("fork").Process(target=quietly)
    child.start()
    return child
