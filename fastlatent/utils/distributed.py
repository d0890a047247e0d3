"""Collectives of torch.distributed for losses over the batches of all ranks (`group=`)."""

import torch
import torch.distributed as dist
from torch import Tensor


def all_gather(x: Tensor, group: "dist.ProcessGroup | None") -> Tensor:
    """Concatenate the points of all ranks, in the order of the ranks; the number of points may differ.

    Each rank computes the loss of the whole batch, and the gradient with respect to its own points is that of a single
    process with the whole batch. (DistributedDataParallel averages gradients over ranks: multiply the loss by the
    number of ranks there.)

    Args:
        x: this rank's points (..., n_r, d).
        group: process group; None: returns x.

    Returns:
        (..., Σ_r n_r, d).
    """
    if group is None:
        return x
    rank, size = dist.get_rank(group), dist.get_world_size(group)
    counts = [torch.zeros(1, dtype=torch.int64, device=x.device) for _ in range(size)]
    dist.all_gather(counts, torch.tensor([x.shape[-2]], device=x.device), group=group)
    parts = [x.new_empty(*x.shape[:-2], int(n), x.shape[-1]) for n in counts]
    if len({p.shape for p in parts}) == 1:
        dist.all_gather(parts, x.detach().contiguous(), group=group)
    else:
        for source, part in enumerate(parts):
            if source == rank:
                part.copy_(x.detach())
            dist.broadcast(part, dist.get_global_rank(group, source), group=group)
    parts[rank] = x
    return torch.cat(parts, dim=-2)


def broadcast(x: Tensor, group: "dist.ProcessGroup | None") -> Tensor:
    """Return the first rank's tensor on every rank, for random numbers that must be equal on all.

    Args:
        x: contiguous tensor, overwritten on all ranks but the first.
        group: process group; None: returns x.
    """
    if group is not None:
        dist.broadcast(x, dist.get_global_rank(group, 0), group=group)
    return x
