"""Configuration of the 3d-AAE of point clouds."""

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
    data_kind: ClassVar[str] = "point clouds"

    latent_dim: int = 8
    """Number of latent dimensions."""
    features: tuple[int, ...] = (64, 128, 256)
    """Widths of the encoder's layers before max pooling, applied to each point."""
    hidden: tuple[int, ...] = (256, 256)
    """Widths of the hidden layers of the encoder after max pooling, of the decoder and of the critic."""
    prior: Literal["normal", "beta", "bernoulli"] = "normal"
    """Prior distribution of the codes; beta and bernoulli for binary codes after rounding."""
    concentration: float = 0.01
    """Concentration a of the prior Beta(a, a)."""
    distance: Literal["chamfer", "earth-mover", "sinkhorn"] = "chamfer"
    """Reconstruction error: chamfer, earth-mover (slow, for --points ≤ 256), or sinkhorn (on a GPU, with geomloss)."""
    weight: float = 0.01
    """Weight λ of the adversarial term."""

    def build(self, shape: Sequence[int]) -> AAE3D:
        """Build the adversarial autoencoder for point clouds of a shape (points, 3).

        Raises:
            TypeError, ValueError: if the shape is invalid, or an option is outside its range.
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
        prior = self.build_prior()
        pointnet = PointNet(self.features, self.hidden, self.latent_dim)
        encoder = nn.Sequential(pointnet, *_output_layers(prior))
        decoder = cloud_decoder(shape[0], self.latent_dim, self.hidden)
        critic = networks.mlp_critic((self.latent_dim,), self.hidden)
        return AAE3D(encoder, decoder, critic, prior, distance=distance, weight=self.weight)

    def build_prior(self) -> Prior:
        """Build the prior."""
        priors: dict[str, Callable[[], Prior]] = {
            "normal": lambda: Normal(self.latent_dim),
            "beta": lambda: Beta(self.latent_dim, self.concentration),
            "bernoulli": lambda: Bernoulli(self.latent_dim),
        }
        return priors[checks.choice("prior", self.prior, tuple(priors))]()


def _output_layers(prior: Prior) -> list[nn.Module]:
    """Return the last layers of the encoder: without batch normalization, codes drift faster than the critic adapts."""
    if isinstance(prior, Normal):
        return [nn.BatchNorm1d(prior.dim, affine=False)]
    return [nn.BatchNorm1d(prior.dim), nn.Sigmoid()]
