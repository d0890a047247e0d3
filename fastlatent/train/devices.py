"""Devices and processes, by Lightning Fabric."""

import torch.distributed as dist
from lightning_fabric import Fabric

from ..models import GenerativeModel
from ..models.base.data_parallel import SINGLE_PROCESS, DataParallelContext
from .config import TrainConfig


def make_fabric(model: GenerativeModel, config: TrainConfig) -> Fabric:
    """Return Fabric for the devices, processes and precision of the options, before its launch.

    Under torchrun or SLURM the processes exist already; otherwise `launch` starts those of this machine, each with the
    command line of this process.
    """
    strategy: str = config.strategy
    if config.world_size > 1 and len(model.phases()) > 1:
        strategy = "ddp_find_unused_parameters_true"  # each phase updates a part of the model
    return Fabric(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy=strategy,
        precision=config.precision,
    )


def data_parallel_context(fabric: Fabric) -> DataParallelContext:
    """Return the context of Fabric's processes, over which batches are distributed."""
    return DataParallelContext(dist.group.WORLD) if fabric.world_size > 1 else SINGLE_PROCESS
