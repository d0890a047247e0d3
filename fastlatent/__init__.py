"""Fast, exact losses for the latent space of autoencoders, drop-in for PyTorch."""

from .config import show_config as show_config
from .kernels.backend import explain as explain
from .kernels.backend import use_backend as use_backend
from .losses.mmd import IMQ as IMQ
from .losses.mmd import RBF as RBF
from .losses.mmd import Laplace as Laplace
from .losses.mmd import RationalQuadratic as RationalQuadratic
from .losses.mmd import mmd as mmd
from .losses.mmd import mmd_imq as mmd_imq

__version__ = "0.1.0"
