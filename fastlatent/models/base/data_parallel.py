"""Data parallelism: mini-batches distributed over the ranks of a torch.distributed group."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor

from ...utils.distributed import all_gather

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class DataParallelContext:
    """Ranks over which every batch is distributed in equal parts, and the index of this one.

    With torch's generators in the same state on every rank, all ranks together compute the loss and gradients of one
    process with the whole batch, provided that gradients are averaged over the ranks, as DistributedDataParallel does:
    means over examples are then means over the whole batch, and losses of another form are computed from the batch
    gathered by `all_gather`. The exception is batch normalization, which uses the moments of each rank's part.

    Args:
        group: process group of the ranks; None: a single process.
    """

    def __init__(self, group: "ProcessGroup | None" = None) -> None:
        self.group = group
        self.rank, self.size = (0, 1) if group is None else (dist.get_rank(group), dist.get_world_size(group))

    def local_slice(self, n: int) -> slice:
        """Return the slice of this rank's examples among n, a multiple of the number of ranks."""
        local = n // self.size
        return slice(self.rank * local, (self.rank + 1) * local)

    def local_draw(self, n: int, sample: Callable[[int], Tensor]) -> Tensor:
        """Draw random numbers for the whole batch and return the rows of this rank's n examples.

        Args:
            n: number of examples of this rank.
            sample: function from a number of examples to as many rows.
        """
        total = n * self.size
        return sample(total)[self.local_slice(total)]

    def uniform(self, n: int, *shape: int, like: Tensor) -> Tensor:
        """Draw numbers (n, *shape) uniform on [0, 1) for this rank's n examples, of the device and dtype of `like`."""
        return self.local_draw(n, lambda total: torch.rand(total, *shape, device=like.device, dtype=like.dtype))

    def normal_like(self, x: Tensor) -> Tensor:
        """Draw standard normal numbers of the shape, device and dtype of x, whose rows are this rank's examples."""
        return self.local_draw(len(x), lambda total: torch.randn(total, *x.shape[1:], device=x.device, dtype=x.dtype))

    def all_gather(self, x: Tensor) -> Tensor:
        """Concatenate the rows x (n, d) of all ranks to (ranks·n, d).

        The gradient of x is multiplied by the number of ranks, since averaging over the ranks divides by it.
        """
        if self.group is None:
            return x
        return all_gather(_ScaleGradient.apply(x, self.size) if x.is_floating_point() else x, self.group)

    @torch.no_grad()
    def all_reduce_mean(self, x: Tensor) -> Tensor:
        """Return the mean of x over the ranks; every rank must call it."""
        if self.group is None:
            return x
        total = x.clone()
        dist.all_reduce(total, group=self.group)
        return total / self.size

    def all_reduce_max(self, *numbers: int, device: torch.device) -> list[int]:
        """Return the maximum of each number over the ranks; every rank must call it."""
        if self.group is None:
            return list(numbers)
        maxima = torch.tensor(numbers, device=device)
        dist.all_reduce(maxima, dist.ReduceOp.MAX, group=self.group)
        return maxima.tolist()


SINGLE_PROCESS = DataParallelContext()


class _ScaleGradient(torch.autograd.Function):
    """Identity whose gradient is multiplied by a factor."""

    @staticmethod
    def forward(ctx, x: Tensor, factor: int) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.factor, None
