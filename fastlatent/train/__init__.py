"""Training: `fit(model, data, config)`."""

from typing import TYPE_CHECKING, Any

from .config import TrainConfig as TrainConfig
from .run_dir import load_checkpoint as load_checkpoint
from .run_dir import read_metrics as read_metrics
from .signals import DivergenceError as DivergenceError
from .signals import TrainingInterrupted as TrainingInterrupted

if TYPE_CHECKING:
    from .trainer import TrainingResult as TrainingResult
    from .trainer import fit as fit


def __getattr__(name: str) -> Any:
    """Import `fit` and `TrainingResult` on first use: Fabric takes long to import."""
    if name not in ("TrainingResult", "fit"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import trainer

    return getattr(trainer, name)
