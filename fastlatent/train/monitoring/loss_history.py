"""Loss terms of each step of an epoch, on the device where they are computed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...models.base.data_parallel import SINGLE_PROCESS, DataParallelContext

DIVERGENCE_FACTOR = 1e6  # loss / first loss above which training has diverged: unbounded growth, not a rough start


class DivergedLoss(NamedTuple):
    """A diverged loss: the step of the epoch, counted from 1, the phase and the value."""

    step: int
    phase: str
    value: float


class LossHistory:
    """A row of loss terms for each step, on the device: writing never synchronizes with the host, reading does.

    Args:
        steps: number of steps of an epoch.
        device: device of the terms.
        context: ranks over which the batches are distributed; the terms are averaged over them.
    """

    def __init__(self, steps: int, device: torch.device, context: DataParallelContext = SINGLE_PROCESS) -> None:
        self.context = context
        self.num_reduced = 0  # number of rows that are averaged over the ranks
        self.names: list[str] = []
        self.rows = torch.zeros(steps, 0, device=device)
        self.first = self.rows.new_zeros(0)  # terms of the first step of the training

    def write(self, step: int, terms: Sequence[Mapping[str, Tensor]]) -> None:
        """Write the terms of each phase at a step of the epoch, counted from 0; all steps have the same terms."""
        values = torch.stack([value.detach() for phase_terms in terms for value in phase_terms.values()])
        if not self.names:
            self.names = [name for phase_terms in terms for name in phase_terms]
            self.rows = values.new_zeros(len(self.rows), len(values))
            self.first = self.context.all_reduce_mean(values)
        self.rows[step] = values

    def all_reduce(self, steps: int) -> None:
        """Average the first `steps` rows of the epoch over the ranks; a collective operation."""
        if steps > self.num_reduced:
            self.rows[self.num_reduced : steps] = self.context.all_reduce_mean(self.rows[self.num_reduced : steps])
        self.num_reduced = steps

    def next_epoch(self) -> None:
        """Discard the rows."""
        self.num_reduced = 0

    def means(self, steps: int) -> dict[str, float]:
        """Return the mean of each term over the first `steps` steps of the epoch."""
        return dict(zip(self.names, self.rows[:steps].cpu().double().mean(0).tolist(), strict=True))

    def first_diverged(self, steps: int) -> DivergedLoss | None:
        """Return the first loss among `steps` steps that is not finite or above the divergence limit.

        The limit is DIVERGENCE_FACTOR · max(|first loss|, 1).
        """
        limit = DIVERGENCE_FACTOR * self.first.abs().clamp_min(1)
        is_loss = torch.tensor([name.endswith("/loss") for name in self.names], dtype=torch.bool)
        within_limit = (self.rows[:steps].abs() <= limit).cpu()  # false for NaN
        diverged = (~within_limit & is_loss).nonzero()
        if not len(diverged):
            return None
        step, term = diverged[0].tolist()
        return DivergedLoss(step + 1, self.names[term].removesuffix("/loss"), self.rows[step, term].item())

    def state_dict(self, steps: int) -> dict[str, Any]:
        """Return the first `steps` rows, the names of the terms, and the terms of the first step."""
        return {"names": self.names, "rows": self.rows[:steps], "first": self.first}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state of `state_dict`."""
        self.names, rows = state["names"], state["rows"]
        self.rows = torch.zeros(len(self.rows), len(self.names), dtype=rows.dtype, device=self.rows.device)
        self.rows[: len(rows)] = rows
        self.num_reduced = len(rows)
        self.first = state["first"].to(self.rows.device)
