"""Batches that are spread over the ranks of a torch.distributed group."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor

from ...losses.distributed import gather

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class DataParallelContext:
    """The ranks over which every batch is spread in equal parts, and this one's place among them.

    With torch's generators in the same state on every rank, all together compute what one process would with the whole
    batch, provided that gradients are averaged over the ranks, as DistributedDataParallel does: means over examples
    are then those of the whole batch, and what is no such mean is taken of the `whole`. Batch normalization alone has
    the moments of a rank's part.

    Args:
        group: of the ranks; None: one process.
    """

    def __init__(self, group: "ProcessGroup | None" = None) -> None:
        self.group = group
        self.rank, self.size = (0, 1) if group is None else (dist.get_rank(group), dist.get_world_size(group))

    def part(self, n: int) -> slice:
        """Which of n examples, a multiple of the number of ranks, are this rank's."""
        each = n // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def draw(self, n: int, sample: Callable[[int], Tensor]) -> Tensor:
        """Random numbers for this rank's n examples: its part of those for the whole batch.

        Args:
            n: examples of this rank.
            sample: from a number of examples to as many rows.
        """
        total = n * self.size
        return sample(total)[self.part(total)]

    def uniform(self, n: int, *shape: int, like: Tensor) -> Tensor:
        """Uniform numbers on [0, 1) for this rank's n examples, (n, *shape), of the device and dtype of `like`."""
        return self.draw(n, lambda total: torch.rand(total, *shape, device=like.device, dtype=like.dtype))

    def normal_like(self, x: Tensor) -> Tensor:
        """Standard normal numbers of the shape, device and dtype of x, whose rows are this rank's examples."""
        return self.draw(len(x), lambda total: torch.randn(total, *x.shape[1:], device=x.device, dtype=x.dtype))

    def whole(self, x: Tensor) -> Tensor:
        """The rows of all ranks (ranks·n, d), of which this one has x (n, d).

        The gradient to x is that of the whole, times the number of ranks, since averaging divides by it again.
        """
        if self.group is None:
            return x
        return gather(_Times.apply(x, self.size) if x.is_floating_point() else x, self.group)

    @torch.no_grad()
    def average(self, x: Tensor) -> Tensor:
        """The mean of x over the ranks, which all come here together."""
        if self.group is None:
            return x
        total = x.clone()
        dist.all_reduce(total, group=self.group)
        return total / self.size

    def greatest(self, *numbers: int, device: torch.device) -> list[int]:
        """The greatest of each number over the ranks, which all come here together."""
        if self.group is None:
            return list(numbers)
        found = torch.tensor(numbers, device=device)
        dist.all_reduce(found, dist.ReduceOp.MAX, group=self.group)
        return found.tolist()


SINGLE_PROCESS = DataParallelContext()


class _Times(torch.autograd.Function):
    """The same tensor, its gradient multiplied."""

    @staticmethod
    def forward(ctx, x: Tensor, factor: int) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.factor, None
