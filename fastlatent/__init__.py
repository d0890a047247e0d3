"""Fast, exact losses for the latent space of autoencoders, drop-in for PyTorch."""

from . import nn as nn
from .kernels.backend import explain as explain
from .kernels.backend import use_backend as use_backend
from .losses.chamfer import chamfer_distance as chamfer_distance
from .losses.chamfer import nearest as nearest
from .losses.cramer_wold import cramer_wold as cramer_wold
from .losses.cramer_wold import cramer_wold_normal as cramer_wold_normal
from .losses.epps_pulley import epps_pulley as epps_pulley
from .losses.frechet import bures_wasserstein as bures_wasserstein
from .losses.frechet import frechet_distance as frechet_distance
from .losses.frechet import frechet_distance_normal as frechet_distance_normal
from .losses.frechet import sqrtm as sqrtm
from .losses.frechet import sqrtm_newton_schulz as sqrtm_newton_schulz
from .losses.kernels import IMQ as IMQ
from .losses.kernels import RBF as RBF
from .losses.kernels import Energy as Energy
from .losses.kernels import Laplace as Laplace
from .losses.kernels import Polynomial as Polynomial
from .losses.kernels import RationalQuadratic as RationalQuadratic
from .losses.mmd import energy_distance as energy_distance
from .losses.mmd import mmd as mmd
from .losses.mmd import mmd_imq as mmd_imq
from .losses.mmd import mmd_laplace as mmd_laplace
from .losses.mmd import mmd_rational_quadratic as mmd_rational_quadratic
from .losses.mmd import mmd_rbf as mmd_rbf
from .losses.mmd import polynomial_mmd as polynomial_mmd
from .losses.sliced import max_sliced_wasserstein as max_sliced_wasserstein
from .losses.sliced import sliced_wasserstein as sliced_wasserstein
from .losses.sliced import sliced_wasserstein_normal as sliced_wasserstein_normal
from .show_config import show_config as show_config

__version__ = "0.2.0.dev0"
