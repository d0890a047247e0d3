"""Losses of the latent space, and the kernels of MMD."""

from .chamfer import chamfer_distance as chamfer_distance
from .chamfer import nearest as nearest
from .cramer_wold import cramer_wold as cramer_wold
from .cramer_wold import cramer_wold_normal as cramer_wold_normal
from .epps_pulley import epps_pulley as epps_pulley
from .frechet import bures_wasserstein as bures_wasserstein
from .frechet import frechet_distance as frechet_distance
from .frechet import frechet_distance_normal as frechet_distance_normal
from .frechet import sqrtm as sqrtm
from .frechet import sqrtm_newton_schulz as sqrtm_newton_schulz
from .kernels import IMQ as IMQ
from .kernels import RBF as RBF
from .kernels import Energy as Energy
from .kernels import Laplace as Laplace
from .kernels import Polynomial as Polynomial
from .kernels import RationalQuadratic as RationalQuadratic
from .mmd import energy_distance as energy_distance
from .mmd import mmd as mmd
from .mmd import mmd_imq as mmd_imq
from .mmd import mmd_laplace as mmd_laplace
from .mmd import mmd_rational_quadratic as mmd_rational_quadratic
from .mmd import mmd_rbf as mmd_rbf
from .mmd import polynomial_mmd as polynomial_mmd
from .sliced import max_sliced_wasserstein as max_sliced_wasserstein
from .sliced import sliced_wasserstein as sliced_wasserstein
from .sliced import sliced_wasserstein_normal as sliced_wasserstein_normal
