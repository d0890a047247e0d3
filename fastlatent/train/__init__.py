"""Training: `fit(model, data, config)`."""

from typing import TYPE_CHECKING, Any

from .config import TrainConfig as TrainConfig
from .folder import load_checkpoint as load_checkpoint
from .folder import read_metrics as read_metrics
from .interrupt import Diverged as Diverged
from .interrupt import Interrupted as Interrupted
from .run import Run as Run
from .run import load_model as load_model
from .run import load_run as load_run
from .run import read_run as read_run

if TYPE_CHECKING:
    from .loop import Fit as Fit
    from .loop import fit as fit


def __getattr__(name: str) -> Any:
    """`fit` and `Fit` on first use: Fabric takes long to import, and the command line answers without it."""
    if name not in ("Fit", "fit"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import loop

    return getattr(loop, name)
