"""A training phase with its optimizer."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule, _FabricOptimizer
from torch import Tensor, nn

from ..data.batch import Batch
from ..models import GenerativeModel, Phase
from ..models.base.data_parallel import SINGLE_PROCESS, DataParallelContext
from ..models.base.phase import Loss
from .config import TrainConfig
from .optim import adam


class PhaseLossModule(nn.Module):
    """A model as Fabric wraps it: its forward pass is a phase's loss, so that precision and devices see each one."""

    def __init__(self, model: GenerativeModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch, loss: Loss, context: DataParallelContext) -> Mapping[str, Tensor]:
        return loss(batch, context)


class PhaseOptimizer:
    """A phase with its optimizer and the schedule of its learning rate.

    Args:
        fabric: has the devices.
        wrapped: `PhaseLossModule` of the model, set up by Fabric.
        phase: of the model.
        config: the learning rate, and whether to compile.
        steps: of the whole training.
        context: ranks over which the training batches are distributed.
    """

    def __init__(
        self,
        fabric: Fabric,
        wrapped: _FabricModule,
        phase: Phase,
        config: TrainConfig,
        steps: int,
        context: DataParallelContext = SINGLE_PROCESS,
    ) -> None:
        self.fabric, self.wrapped, self.phase, self.context = fabric, wrapped, phase, context
        own = {id(parameter) for parameter in phase.parameters}
        self.others = [p for p in wrapped.parameters() if p.requires_grad and id(p) not in own]
        self.loss = _compiled(phase.loss) if config.compile else phase.loss
        optimizer, self.schedule = adam(
            phase, config.lr, steps, constant=config.schedule == "constant", captured=config.cuda_graph
        )
        self.optimizer = cast(_FabricOptimizer, fabric.setup_optimizers(optimizer))

    def step(self, batch: Batch) -> Mapping[str, Tensor]:
        """Move the phase's parameters once, by the rate as it is; the terms of its loss, on the device."""
        self._freeze_others(True)
        terms = self.wrapped(batch, self.loss, self.context)
        self.fabric.backward(terms["loss"])
        self._freeze_others(False)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {f"{self.phase.name}/{term}": value.detach() for term, value in terms.items()}

    @torch.no_grad()
    def look(self, batch: Batch) -> dict[str, float]:
        """The terms of the phase's loss, and nothing moved."""
        terms = self.wrapped(batch, self.phase.loss, SINGLE_PROCESS)
        return {f"{self.phase.name}/{term}": float(value) for term, value in terms.items()}

    def _freeze_others(self, frozen: bool) -> None:
        """No gradient is computed for what another phase moves."""
        for parameter in self.others:
            parameter.requires_grad_(not frozen)

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimizer and of the schedule."""
        return {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the state was taken."""
        optimizer: dict[str, Any] = state["optimizer"]
        moved = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        of_parameters: Any = {
            int(index): {name: _laid_out_as(moved[int(index)], value) for name, value in moments.items()}
            for index, moments in optimizer["state"].items()  # by number; JSON's keys are text
        }
        rates = [group["lr"] for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict({**optimizer, "state": of_parameters})
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            if isinstance(rate, Tensor):  # on the device, where a captured step reads it
                group["lr"] = rate.copy_(group["lr"])
        self.schedule.load_state_dict(state["schedule"])


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """The value with its axes in memory as the parameter's: the fused optimizer goes through both side by side."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def _compiled(loss: Loss) -> Loss:
    """The loss, forward and backward compiled for batches of one shape; its random numbers are the same."""
    return torch.compile(loss, dynamic=False, options={"fallback_random": True})
