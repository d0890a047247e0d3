"""Training phase with its optimizer."""

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
from .optim import build_adam


class PhaseLossModule(nn.Module):
    """A model whose forward pass is the loss of a phase, so that Fabric applies precision and strategy to it."""

    def __init__(self, model: GenerativeModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch, loss: Loss, context: DataParallelContext) -> Mapping[str, Tensor]:
        """Return the loss terms of the phase."""
        return loss(batch, context)


class PhaseOptimizer:
    """A phase with its optimizer and learning rate schedule.

    Args:
        fabric: Fabric of the training.
        loss_module: `PhaseLossModule` of the model, set up by Fabric.
        phase: phase of the model.
        config: options of the trainer.
        steps: number of steps of the training.
        context: ranks over which the training batches are distributed.
    """

    def __init__(
        self,
        fabric: Fabric,
        loss_module: _FabricModule,
        phase: Phase,
        config: TrainConfig,
        steps: int,
        context: DataParallelContext = SINGLE_PROCESS,
    ) -> None:
        self.fabric, self.loss_module, self.phase, self.context = fabric, loss_module, phase, context
        phase_ids = {id(parameter) for parameter in phase.parameters}
        self.other_parameters = [p for p in loss_module.parameters() if p.requires_grad and id(p) not in phase_ids]
        self.loss = _compile(phase.loss) if config.compile else phase.loss
        optimizer, self.schedule = build_adam(
            phase, config.lr, steps, constant=config.schedule == "constant", capturable=config.cuda_graph
        )
        self.optimizer = cast(_FabricOptimizer, fabric.setup_optimizers(optimizer))

    def step(self, batch: Batch) -> Mapping[str, Tensor]:
        """Update the phase's parameters once; return its loss terms, on the device."""
        self._set_other_requires_grad(False)
        terms = self.loss_module(batch, self.loss, self.context)
        self.fabric.backward(terms["loss"])
        self._set_other_requires_grad(True)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {f"{self.phase.name}/{term}": value.detach() for term, value in terms.items()}

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Return the loss terms of the phase, without an update."""
        terms = self.loss_module(batch, self.phase.loss, SINGLE_PROCESS)
        return {f"{self.phase.name}/{term}": float(value) for term, value in terms.items()}

    def _set_other_requires_grad(self, required: bool) -> None:
        """Set `requires_grad` of the parameters of other phases."""
        for parameter in self.other_parameters:
            parameter.requires_grad_(required)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the optimizer and of the schedule."""
        return {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state of `state_dict`."""
        optimizer: dict[str, Any] = state["optimizer"]
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        moments: Any = {
            int(index): {name: _match_strides(value, parameters[int(index)]) for name, value in values.items()}
            for index, values in optimizer["state"].items()  # keys are strings in JSON
        }
        rates = [group["lr"] for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict({**optimizer, "state": moments})
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            if isinstance(rate, Tensor):  # a captured step reads this tensor on the device
                group["lr"] = rate.copy_(group["lr"])
        self.schedule.load_state_dict(state["schedule"])


def _match_strides(value: Tensor, parameter: Tensor) -> Tensor:
    """Return the value in the memory format of the parameter, as the fused optimizer requires."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def _compile(loss: Loss) -> Loss:
    """Compile the loss, forward and backward, for batches of one shape; its random numbers are unchanged."""
    return torch.compile(loss, dynamic=False, options={"fallback_random": True})
