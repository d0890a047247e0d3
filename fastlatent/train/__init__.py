"""Training: `fit(model, data, config)`."""

from .config import TrainConfig as TrainConfig
from .folder import load_checkpoint as load_checkpoint
from .folder import read_metrics as read_metrics
from .loop import Fit as Fit
from .loop import fit as fit
