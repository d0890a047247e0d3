"""Training: `fit(model, data, config)`."""

from typing import TYPE_CHECKING, Any

from .config import TrainConfig as TrainConfig
from .run_dir import load_checkpoint as load_checkpoint
from .run_dir import read_metrics as read_metrics
from .signals import Diverged as Diverged
from .signals import Interrupted as Interrupted

if TYPE_CHECKING:
    from .trainer import Fit as Fit
    from .trainer import fit as fit


def __getattr__(name: str) -> Any:
    """`fit` and `Fit` on first use: Fabric takes long to import, and the command line answers without it."""
    if name not in ("Fit", "fit"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import trainer

    return getattr(trainer, name)
