"""Named models of point clouds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar, Literal

from torch import Tensor, nn

from ...losses.chamfer import chamfer_distance
from ...priors import Bernoulli, Beta, Normal, Prior
from ...utils import checks
from .. import networks
from ..aae.point_cloud import AAE3D
from ..networks.pointnet import PointNet, cloud_decoder
from ..objectives.earth_mover import earth_mover_distance, sinkhorn_distance


@dataclass(frozen=True)
class AAE3DConfig:
    """Adversarial autoencoder of point clouds, 3d-AAE."""

    source: ClassVar[str] = "Zamorski et al. 2018"
    takes: ClassVar[str] = "point clouds"

    latent_dim: int = 8
    """Number of coordinates of a code."""
    features: tuple[int, ...] = (64, 128, 256)
    """Widths of the layers that the encoder applies to each point."""
    hidden: tuple[int, ...] = (256, 256)
    """Widths of the hidden layers behind the encoder's maximum, and of decoder and critic."""
    prior: Literal["normal", "beta", "bernoulli"] = "normal"
    """Distribution of the codes; beta and bernoulli give codes that can be rounded to bits."""
    concentration: float = 0.01
    """a of the prior Beta(a, a)."""
    distance: Literal["chamfer", "earth-mover", "sinkhorn"] = "chamfer"
    """Reconstruction error; earth-mover is exact and slow: for --points 256 or fewer; sinkhorn comes near it, for a GPU
    and with geomloss installed."""
    weight: float = 0.01
    """Weight λ of the critic."""

    def build(self, shape: Sequence[int]) -> AAE3D:
        """The adversarial autoencoder for clouds of shape (points, 3).

        Raises:
            TypeError, ValueError: for another shape, or an option outside what is said of it.
        """
        if len(shape) != 2 or shape[1] != 3:
            raise ValueError(f"shape must be (points, 3); got {tuple(shape)}")
        checks.count("latent_dim", self.latent_dim)
        for name, widths in (("features", self.features), ("hidden", self.hidden)):
            for width in widths:
                checks.count(name, width)
        if not self.features:
            raise ValueError("features must be one or more widths; got ()")
        distances: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
            "chamfer": chamfer_distance,
            "earth-mover": earth_mover_distance,
            "sinkhorn": sinkhorn_distance,
        }
        distance = distances[checks.choice("distance", self.distance, tuple(distances))]
        if self.distance == "sinkhorn" and find_spec("geomloss") is None:
            raise ValueError("distance 'sinkhorn' needs geomloss: pip install geomloss")
        target = self.target()
        pointnet = PointNet(self.features, self.hidden, self.latent_dim)
        encoder = nn.Sequential(pointnet, *_onto(target))
        decoder = cloud_decoder(shape[0], self.latent_dim, self.hidden)
        critic = networks.mlp_critic((self.latent_dim,), self.hidden)
        return AAE3D(encoder, decoder, critic, target, distance=distance, weight=self.weight)

    def target(self) -> Prior:
        """The prior."""
        made: dict[str, Callable[[], Prior]] = {
            "normal": lambda: Normal(self.latent_dim),
            "beta": lambda: Beta(self.latent_dim, self.concentration),
            "bernoulli": lambda: Bernoulli(self.latent_dim),
        }
        return made[checks.choice("prior", self.prior, tuple(made))]()


def _onto(prior: Prior) -> list[nn.Module]:
    """The encoder's last layers, without which codes drift off and shrink faster than so young a critic can tell."""
    if isinstance(prior, Normal):
        return [nn.BatchNorm1d(prior.dim, affine=False)]
    return [nn.BatchNorm1d(prior.dim), nn.Sigmoid()]
