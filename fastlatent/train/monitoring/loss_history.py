"""The terms of the losses at each step of an epoch, kept where they are computed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...models.base.data_parallel import SINGLE_PROCESS, DataParallelContext

DIVERGENCE_FACTOR = (
    1e6  # so many times its size at the first step, and a loss is lost: growth that does not end, not a rough start
)


class Bad(NamedTuple):
    """A loss that is lost: the step of the epoch, from 1, the phase and the value."""

    step: int
    phase: str
    value: float


class LossHistory:
    """A row of terms for each step, on the device: writing one waits for nothing, reading them does.

    Args:
        steps: in an epoch.
        device: of the terms.
        context: ranks over which the batches are distributed; the terms are their means.
    """

    def __init__(self, steps: int, device: torch.device, context: DataParallelContext = SINGLE_PROCESS) -> None:
        self.context = context
        self.merged = 0  # so many rows of the epoch are means over the ranks
        self.names: list[str] = []
        self.rows = torch.zeros(steps, 0, device=device)
        self.first = self.rows.new_zeros(0)  # of the training

    def write(self, step: int, terms: Sequence[Mapping[str, Tensor]]) -> None:
        """The terms of each phase at a step of the epoch, from 0; every step has the same ones."""
        values = torch.stack([value.detach() for of_phase in terms for value in of_phase.values()])
        if not self.names:
            self.names = [name for of_phase in terms for name in of_phase]
            self.rows = values.new_zeros(len(self.rows), len(values))
            self.first = self.context.all_reduce_mean(values)
        self.rows[step] = values

    def merge(self, steps: int) -> None:
        """Take the means over the ranks, which all come here together, of the first so many rows of the epoch."""
        if steps > self.merged:
            self.rows[self.merged : steps] = self.context.all_reduce_mean(self.rows[self.merged : steps])
        self.merged = steps

    def means(self, steps: int) -> dict[str, float]:
        """The mean of each term over the first so many steps of the epoch."""
        return dict(zip(self.names, self.rows[:steps].cpu().double().mean(0).tolist(), strict=True))

    def bad(self, steps: int) -> Bad | None:
        """The first loss among so many steps that is not finite, or 10⁶ times as large as at first (and 1)."""
        limit = DIVERGENCE_FACTOR * self.first.abs().clamp_min(1)
        losses = torch.tensor([name.endswith("/loss") for name in self.names], dtype=torch.bool)
        good = (self.rows[:steps].abs() <= limit).cpu()  # false for NaN
        found = (~good & losses).nonzero()
        if not len(found):
            return None
        step, term = found[0].tolist()
        return Bad(step + 1, self.names[term].removesuffix("/loss"), self.rows[step, term].item())

    def state_dict(self, steps: int) -> dict[str, Any]:
        """The first so many rows, and what else is needed to go on."""
        return {"names": self.names, "rows": self.rows[:steps], "first": self.first}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the state was taken."""
        self.names, rows = state["names"], state["rows"]
        self.rows = torch.zeros(len(self.rows), len(self.names), dtype=rows.dtype, device=self.rows.device)
        self.rows[: len(rows)] = rows
        self.merged = len(rows)
        self.first = state["first"].to(self.rows.device)
