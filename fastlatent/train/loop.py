"""The training loop: Lightning Fabric has the devices, the model has its phases."""

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule, _FabricOptimizer
from rich.console import Console
from torch import Tensor

from ..data import Data, Split
from ..models import Batch, Generative, Phase
from ..threads import torch_threads
from . import folder as files
from .config import TrainConfig
from .progress import Watch

TEST_EXAMPLES = 2048  # watched after each epoch
Record = dict[str, float]


class Fit(NamedTuple):
    """A finished training: its run folder, and a record of each epoch."""

    folder: Path
    history: list[Record]


def fit(
    model: Generative,
    data: Data,
    config: TrainConfig,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Fit:
    """Train a model and leave config.yaml, metrics.jsonl and model.safetensors in the run folder.

    Args:
        model: trained in place, each batch through each of its phases.
        data: trained on `data.train`; the terms of `data.test` are logged after each epoch and steer nothing.
        config: how to train.
        name: of the model, for the folder and config.yaml; None: its class's.
        options: further entries of config.yaml, such as the model's own.

    Raises:
        FileExistsError: if the run folder is there and not empty.
        TypeError, ValueError: for options outside what `TrainConfig` says, or more examples a batch than there are.
    """
    config.check()
    data.train.check_batch(config.batch_size)
    name = name or type(model).__name__.lower()
    epochs = config.epochs or data.epochs
    run = files.new_folder(config.out or Path("runs") / f"{name}-{data.name}-{time.strftime('%Y%m%d-%H%M%S')}")
    chosen = {**dataclasses.asdict(config), "epochs": epochs, "out": run}
    files.save_config(run, {"model": name, "data": data.name, **(options or {}), **chosen})

    fabric = Fabric(accelerator=config.accelerator, devices=1)
    fabric.seed_everything(config.seed, verbose=False)
    order = torch.Generator().manual_seed(config.seed)
    train, test = data.train.to(fabric.device), data.test.to(fabric.device)
    steps = len(train) // config.batch_size
    wrapped = fabric.setup_module(model)
    phases = [Mover(fabric, wrapped, phase, config.lr, epochs * steps) for phase in model.phases()]

    history: list[Record] = []
    with torch_threads(config.threads), Watch(Console(stderr=True), epochs, steps) as watch:
        for epoch in range(1, epochs + 1):
            start = time.perf_counter()
            sums: dict[str, Tensor] = {}
            for batch in train.shuffled(config.batch_size, order):
                _add(sums, [phase.step(batch) for phase in phases])
                watch.step()
            record = {f"train/{term}": float(total) / steps for term, total in sums.items()}  # waits for the device
            speed = steps * config.batch_size / (time.perf_counter() - start)
            history.append({"epoch": epoch, "examples_per_second": speed, **record, **_held_out(model, test)})
            files.append_metrics(run, history[-1])
            watch.epoch(epoch, history[-1])
    files.save_checkpoint(run, model)
    return Fit(run, history)


class Mover:
    """A phase with its optimiser."""

    def __init__(self, fabric: Fabric, wrapped: _FabricModule, phase: Phase, lr: float, steps: int) -> None:
        self.fabric, self.wrapped, self.phase = fabric, wrapped, phase
        adam = torch.optim.Adam(phase.parameters, lr=lr, betas=(phase.momentum, 0.999))
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
        self.optimizer = cast(_FabricOptimizer, fabric.setup_optimizers(adam))

    def step(self, batch: Batch) -> Mapping[str, Tensor]:
        """Move the phase's parameters once; the terms of its loss, on the device."""
        terms = self.wrapped.training_step(batch, self.phase.loss)
        self.optimizer.zero_grad()
        self.fabric.backward(terms["loss"])
        self.optimizer.step()
        self.schedule.step()
        return {f"{self.phase.name}/{term}": value.detach() for term, value in terms.items()}


def _add(sums: dict[str, Tensor], steps: list[Mapping[str, Tensor]]) -> None:
    for terms in steps:
        for term, value in terms.items():
            sums[term] = sums[term] + value if term in sums else value


@torch.no_grad()
def _held_out(model: Generative, test: Split) -> Record:
    """The terms of each phase on test examples."""
    batch = test.spread(TEST_EXAMPLES)
    model.eval()
    terms = {f"test/{p.name}/{term}": float(value) for p in model.phases() for term, value in p.loss(batch).items()}
    model.train()
    return terms
