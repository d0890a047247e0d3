"""The trainer's options."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch

from ..utils import checks
from .monitoring.loggers import LoggerName, check_installed

Strategy = Literal["auto", "ddp"]
Precision = Literal["32", "64", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class TrainConfig:
    """How to train, whatever the model and the data."""

    epochs: int | None = None
    """Passes over the training data; None: what suits the data set (digits 100, the others 20)."""
    batch_size: int = 64
    """Examples a step."""
    lr: float = 4e-3
    """Adam's learning rate at the start."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How it goes on: it falls to 0 along a cosine, or stays."""
    seed: int = 0
    """Of the weights, the order of the examples and the prior's samples."""
    threads: int = 1
    """Processor threads; 1 for networks this small, where more wait for each other longer than they compute."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to train; auto: the GPU if there is one."""
    devices: int = 1
    """Devices of each machine, a process on each; every batch is spread over them in equal parts."""
    num_nodes: int = 1
    """Machines, where torchrun or SLURM starts the processes."""
    strategy: Strategy = "auto"
    """How processes work together, by Lightning Fabric's name: ddp, each holding the model; auto: ddp if several."""
    log_every: int = 50
    """Steps between looks at the losses, which wait for the device; several processes agree to save or stop then."""
    precision: Precision = "32"
    """Of the computation: 32 or 64 bits; or bf16-mixed or 16-mixed, matrix products in 16 bits and the rest in 32."""
    compile: bool = False
    """Compile each phase's loss and its gradient, which takes up to a minute at the start; the results are the same."""
    cuda_graph: bool = False
    """Capture the whole step as a CUDA graph, for one process on a GPU; the results are the same."""
    channels_last: bool = False
    """Keep images with their channels last in memory, which convolutions on some devices are faster with."""
    out: Path | None = None
    """Run folder, new or empty; None: runs/MODEL-DATA-TIME."""
    checkpoint_seconds: float = 60.0
    """Seconds between checkpoints; none by time, if that is longer than the training."""
    checkpoint_steps: int | None = None
    """Steps between checkpoints; None: none by steps."""
    checkpoint_epochs: int | None = None
    """Epochs between checkpoints; None: none by epochs."""
    keep_last: int = 2
    """Checkpoints kept, the newest ones."""
    logger: LoggerName | None = None
    """Where the metrics go beside metrics.jsonl; None: nowhere."""
    figures_every: int | None = None
    """Epochs between figures of samples and interpolations, in the run's folder figures; None: none on the way."""

    @property
    def processes(self) -> int:
        """How many there are in all."""
        return self.devices * self.num_nodes

    def check(self) -> None:
        """Require options within what is said of each, and an accelerator that is here.

        Raises:
            TypeError, ValueError: naming the option.
        """
        if self.epochs is not None:
            checks.count("epochs", self.epochs)
        checks.count("batch_size", self.batch_size)
        checks.positive("lr", self.lr)
        checks.choice("schedule", self.schedule, ("cosine", "constant"))
        checks.count("seed", self.seed, 0)
        checks.count("threads", self.threads)
        checks.non_negative("checkpoint_seconds", self.checkpoint_seconds)
        for name in ("checkpoint_steps", "checkpoint_epochs", "figures_every"):
            if getattr(self, name) is not None:
                checks.count(name, getattr(self, name))
        checks.count("keep_last", self.keep_last)
        for name in ("devices", "num_nodes", "log_every"):
            checks.count(name, getattr(self, name))
        if self.batch_size % self.processes:
            of = f"devices · num_nodes = {self.processes}"
            raise ValueError(f"batch_size must be a multiple of {of}; got {self.batch_size}")
        if self.logger is not None:
            checks.choice("logger", self.logger, get_args(LoggerName))
            check_installed(self.logger)
        checks.choice("strategy", self.strategy, get_args(Strategy))
        checks.choice("precision", self.precision, get_args(Precision))
        checks.choice("accelerator", self.accelerator, ("auto", "cpu", "cuda", "mps"))
        here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if not here.get(self.accelerator, True):
            raise ValueError(f"accelerator {self.accelerator!r} is not available: torch sees no such device")
        if self.cuda_graph:
            self._check_graph()

    def _check_graph(self) -> None:
        """Require what can be captured."""
        if not torch.cuda.is_available() or self.accelerator not in ("auto", "cuda"):
            raise ValueError(
                f"cuda_graph needs a CUDA device; got accelerator {self.accelerator!r}, torch sees {_cuda()}"
            )
        if self.processes > 1 or self.precision == "16-mixed":
            got = f"devices · num_nodes = {self.processes}, precision {self.precision!r}"
            raise ValueError(f"cuda_graph is for one process, in a precision without a scaled loss; got {got}")


def _cuda() -> str:
    return "one" if torch.cuda.is_available() else "none"
