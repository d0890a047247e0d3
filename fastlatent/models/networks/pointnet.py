"""Networks for point clouds: a PointNet encoder, and a decoder that makes all points at once."""

from collections.abc import Sequence

from torch import Tensor, nn

from .images import mlp


class PointNet(nn.Module):
    """Encoder that does not see the order of the points: f(x) = ρ(max_i φ(xᵢ)), the maximum taken per feature.

    Args:
        features: widths of φ, applied to each point by itself, in the end the number of features.
        hidden: widths of the hidden layers of ρ.
        outputs: number of coordinates of a code.

    Source: Qi et al. 2017, "PointNet", equation (1), without its alignment networks, as in Zamorski et al. 2018.
    """

    def __init__(self, features: Sequence[int], hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.point = mlp([3, *features])
        self.cloud = mlp([features[-1], *hidden, outputs])

    def forward(self, x: Tensor) -> Tensor:
        """Codes (n, outputs) of clouds x (n, points, 3)."""
        return self.cloud(self.point(x).amax(1))


def cloud_decoder(points: int, latent_dim: int, hidden: Sequence[int]) -> nn.Sequential:
    """From codes (n, latent_dim) to clouds (n, points, 3) with coordinates in (−1, 1); `hidden` in its order."""
    return nn.Sequential(*mlp([latent_dim, *hidden, 3 * points]), nn.Tanh(), nn.Unflatten(1, (points, 3)))
