"""Training: `fit(model, data, config)`."""

from typing import TYPE_CHECKING, Any

from .config import TrainConfig as TrainConfig
from .folder import load_checkpoint as load_checkpoint
from .folder import read_metrics as read_metrics
from .interrupt import Interrupted as Interrupted
from .run import Run as Run
from .run import load_run as load_run
from .run import read_run as read_run

if TYPE_CHECKING:
    from .keeper import Diverged as Diverged
    from .loop import Fit as Fit
    from .loop import fit as fit


def __getattr__(name: str) -> Any:
    """What needs Fabric, on first use: it takes long to import, and the command line answers without it."""
    if name not in ("Diverged", "Fit", "fit"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import keeper, loop

    return getattr(keeper if name == "Diverged" else loop, name)
