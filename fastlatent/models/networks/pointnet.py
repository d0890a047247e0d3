"""Networks for point clouds: PointNet encoder and MLP decoder."""

from collections.abc import Sequence

from torch import Tensor, nn

from .fully_connected import mlp


class PointNet(nn.Module):
    """Permutation-invariant encoder f(x) = ρ(max_i φ(xᵢ)), with the maximum over points of each feature.

    Args:
        features: widths of the layers of φ, applied to each point; the last one is the number of features.
        hidden: widths of the hidden layers of ρ.
        outputs: number of outputs.

    Source: Qi et al. 2017, "PointNet", equation (1), without its alignment networks, as in Zamorski et al. 2018.
    """

    def __init__(self, features: Sequence[int], hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.point = mlp([3, *features])
        self.cloud = mlp([features[-1], *hidden, outputs])

    def forward(self, x: Tensor) -> Tensor:
        """Encode point clouds x (n, points, 3) to codes (n, outputs)."""
        return self.cloud(self.point(x).amax(1))


def cloud_decoder(points: int, latent_dim: int, hidden: Sequence[int]) -> nn.Sequential:
    """Build an MLP from codes (n, latent_dim) to point clouds (n, points, 3) with coordinates in (−1, 1).

    Args:
        points: number of points.
        latent_dim: number of latent dimensions.
        hidden: widths of the hidden layers, in the decoder's order.
    """
    return nn.Sequential(*mlp([latent_dim, *hidden, 3 * points]), nn.Tanh(), nn.Unflatten(1, (points, 3)))
