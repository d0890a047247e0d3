"""Options of the trainer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch

from ..utils import checks
from .monitoring.loggers import LoggerName, check_installed

Schedule = Literal["cosine", "constant"]
Accelerator = Literal["auto", "cpu", "cuda", "mps"]
Strategy = Literal["auto", "ddp"]
Precision = Literal["32", "64", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class TrainConfig:
    """Options of training, for any model and data set."""

    epochs: int | None = None
    """Passes over the training data; None: the data set's default, 20 to 160."""
    batch_size: int = 64
    """Examples per step."""
    lr: float = 4e-3
    """Initial learning rate of Adam."""
    schedule: Schedule = "cosine"
    """Learning rate schedule: cosine decay to 0, or constant."""
    seed: int = 0
    """Seed of the weights, the order of the examples and the samples of the prior."""
    threads: int = 1
    """CPU threads; small networks are fastest with 1."""
    accelerator: Accelerator = "auto"
    """Device type; auto: a GPU if available."""
    devices: int = 1
    """Devices per machine, with one process each; every batch is split equally among them."""
    num_nodes: int = 1
    """Number of machines; torchrun or SLURM starts the processes."""
    strategy: Strategy = "auto"
    """Distributed strategy of Fabric: ddp, with a copy of the model per process; auto: ddp for several processes."""
    log_every: int = 50
    """Steps between checks of the losses, which synchronize with the host; several processes also save only then."""
    precision: Precision = "32"
    """Precision: 32 or 64 bits; bf16-mixed or 16-mixed: matmuls in 16 bits, all other operations in 32."""
    compile: bool = False
    """Compile each phase's loss and gradient, up to a minute at the start; results are equal up to rounding."""
    cuda_graph: bool = False
    """Capture the training step as a CUDA graph, for one process on a GPU; results are equal up to rounding."""
    channels_last: bool = False
    """Memory format channels_last for images, faster for convolutions on some devices."""
    run_dir: Path | None = None
    """Run folder, new or empty; None: runs/MODEL-DATA-TIME."""
    checkpoint_seconds: float = 60.0
    """Seconds between checkpoints."""
    checkpoint_steps: int | None = None
    """Steps between checkpoints; None: no limit."""
    checkpoint_epochs: int | None = None
    """Epochs between checkpoints; None: no limit."""
    keep_last: int = 2
    """Number of checkpoints to keep, the newest ones."""
    logger: LoggerName | None = None
    """Logger in addition to metrics.jsonl; None: none."""
    figures_every: int | None = None
    """Epochs between figures of samples and interpolations, in the folder figures of the run; None: none."""

    @property
    def world_size(self) -> int:
        """Number of processes."""
        return self.devices * self.num_nodes

    def check(self) -> None:
        """Require options in their ranges and an accelerator that is available.

        Raises:
            TypeError, ValueError: naming the option.
        """
        for name in ("batch_size", "threads", "keep_last", "devices", "num_nodes", "log_every"):
            checks.count(name, getattr(self, name))
        for name in ("epochs", "checkpoint_steps", "checkpoint_epochs", "figures_every"):
            if getattr(self, name) is not None:
                checks.count(name, getattr(self, name))
        checks.count("seed", self.seed, 0)
        checks.positive("lr", self.lr)
        checks.non_negative("checkpoint_seconds", self.checkpoint_seconds)
        checks.choice("schedule", self.schedule, get_args(Schedule))
        checks.choice("strategy", self.strategy, get_args(Strategy))
        checks.choice("precision", self.precision, get_args(Precision))
        checks.choice("accelerator", self.accelerator, get_args(Accelerator))
        if self.logger is not None:
            checks.choice("logger", self.logger, get_args(LoggerName))
            check_installed(self.logger)
        self._check_devices()

    def _check_devices(self) -> None:
        """Require an available accelerator and a batch that splits equally."""
        if self.batch_size % self.world_size:
            divisor = f"devices · num_nodes = {self.world_size}"
            raise ValueError(f"batch_size must be a multiple of {divisor}; got {self.batch_size}")
        available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if not available.get(self.accelerator, True):
            raise ValueError(f"accelerator {self.accelerator!r} is not available on this machine")
        if self.cuda_graph:
            self._check_cuda_graph()

    def _check_cuda_graph(self) -> None:
        """Require a device, a process count and a precision that support CUDA graphs."""
        if not torch.cuda.is_available() or self.accelerator not in ("auto", "cuda"):
            device = "a CUDA device" if torch.cuda.is_available() else "no CUDA device"
            options = f"accelerator {self.accelerator!r}, and {device}"
            raise ValueError(f"cuda_graph needs a CUDA device; got {options}")
        if self.world_size > 1 or self.precision == "16-mixed":
            options = f"devices · num_nodes = {self.world_size}, precision {self.precision!r}"
            raise ValueError(f"cuda_graph is for one process, in a precision without a scaled loss; got {options}")
