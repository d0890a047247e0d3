"""Spectral engine: Fréchet distances and matrix square roots."""

from .op import Bures as Bures
from .op import Frechet as Frechet
from .op import FrechetNormal as FrechetNormal
from .op import bures as bures
from .op import frechet as frechet
from .op import frechet_normal as frechet_normal
from .routes import BACKENDS as BACKENDS
from .routes import ROUTES as ROUTES
