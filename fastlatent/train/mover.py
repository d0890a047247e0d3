"""A training phase with its optimiser."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule, _FabricOptimizer
from torch import Tensor

from ..models import Batch, Phase


class Mover:
    """A phase with its optimiser and the schedule of its learning rate."""

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
        return {f"{self.phase.name}/{term}": value for term, value in terms.items()}

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimiser and of the schedule."""
        return {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the state was taken."""
        optimizer: dict[str, Any] = state["optimizer"]
        of_parameters: Any = {int(index): value for index, value in optimizer["state"].items()}  # JSON's keys are text
        self.optimizer.load_state_dict({**optimizer, "state": of_parameters})
        self.schedule.load_state_dict(state["schedule"])
