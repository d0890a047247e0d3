"""`group=`: a loss over the batches of all ranks of a torch.distributed group."""

import torch
import torch.distributed as dist
from torch import Tensor


def gather(x: Tensor, group: "dist.ProcessGroup | None") -> Tensor:
    """All ranks' points, in the order of the ranks: (..., Σ n_r, d).

    Each rank computes the loss of the whole batch and keeps the gradient of its own points, which is what one process
    holding the whole batch would give them. (DistributedDataParallel averages gradients over ranks: multiply the loss
    by the number of ranks there.)

    Args:
        x: this rank's points (..., n, d); n may differ between ranks.
        group: the group; None: `x` itself.
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


def from_first_rank(x: Tensor, group: "dist.ProcessGroup | None") -> Tensor:
    """What the group's first rank holds, on every rank: random numbers must be the same on all. None: `x` itself."""
    if group is not None:
        dist.broadcast(x, dist.get_global_rank(group, 0), group=group)
    return x
