"""Losses as torch modules."""

from collections.abc import Sequence

from torch import Tensor, nn

from . import losses


class MMD(nn.Module):
    """Module of `fastlatent.mmd`.

    Args:
        kernel: see `fastlatent.mmd`.
        estimator: see `fastlatent.mmd`.
    """

    def __init__(self, kernel: losses.kernels.Kernel, *, estimator: str = "unbiased") -> None:
        super().__init__()
        self.kernel, self.estimator = kernel, estimator

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss (...,) of samples x (..., n, d) and y (..., m, d)."""
        return losses.mmd(x, y, self.kernel, estimator=self.estimator)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"{self.kernel}, estimator={self.estimator!r}"


class MMDIMQ(MMD):
    """Module of `fastlatent.mmd_imq`, the penalty of WAE-MMD.

    Args:
        scales: see `fastlatent.mmd_imq`.
        sigma: see `fastlatent.mmd_imq`.
        estimator: see `fastlatent.mmd_imq`.
    """

    def __init__(
        self, *, scales: Sequence[float] = losses.kernels.SCALES, sigma: float = 1.0, estimator: str = "unbiased"
    ) -> None:
        super().__init__(losses.IMQ(scales, sigma), estimator=estimator)


class CramerWold(nn.Module):
    """Module of `fastlatent.cramer_wold`.

    Args:
        gamma: see `fastlatent.cramer_wold`.
    """

    def __init__(self, *, gamma: float | None = None) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss (...,) of samples x (..., n, d) and y (..., m, d)."""
        return losses.cramer_wold(x, y, gamma=self.gamma)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"gamma={self.gamma}"


class CramerWoldNormal(nn.Module):
    """Module of `fastlatent.cramer_wold_normal`, the penalty of CWAE.

    Args:
        gamma: see `fastlatent.cramer_wold_normal`.
    """

    def __init__(self, *, gamma: float | None = None) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, x: Tensor) -> Tensor:
        """Return the loss (...,) of a sample x (..., n, d)."""
        return losses.cramer_wold_normal(x, gamma=self.gamma)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"gamma={self.gamma}"


class ChamferDistance(nn.Module):
    """Module of `fastlatent.chamfer_distance`."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss (...,) of samples x (..., n, d) and y (..., m, d)."""
        return losses.chamfer_distance(x, y)


class SlicedWasserstein(nn.Module):
    """Module of `fastlatent.sliced_wasserstein`, with new random directions in each call.

    Args:
        n_projections: see `fastlatent.sliced_wasserstein`.
        p: see `fastlatent.sliced_wasserstein`.
        orthogonal: see `fastlatent.sliced_wasserstein`.
    """

    def __init__(self, *, n_projections: int = 128, p: float = 2, orthogonal: bool = False) -> None:
        super().__init__()
        self.n_projections, self.p, self.orthogonal = n_projections, p, orthogonal

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss (...,) of samples x (..., n, d) and y (..., m, d)."""
        return losses.sliced_wasserstein(x, y, n_projections=self.n_projections, p=self.p, orthogonal=self.orthogonal)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"n_projections={self.n_projections}, p={self.p}, orthogonal={self.orthogonal}"


class SlicedWassersteinNormal(nn.Module):
    """Module of `fastlatent.sliced_wasserstein_normal`, with new random directions in each call.

    Args:
        n_projections: see `fastlatent.sliced_wasserstein_normal`.
    """

    def __init__(self, *, n_projections: int = 128) -> None:
        super().__init__()
        self.n_projections = n_projections

    def forward(self, x: Tensor) -> Tensor:
        """Return the loss (...,) of a sample x (..., n, d)."""
        return losses.sliced_wasserstein_normal(x, n_projections=self.n_projections)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"n_projections={self.n_projections}"


class EppsPulley(nn.Module):
    """Module of `fastlatent.epps_pulley`, with new random directions in each call.

    Args:
        n_projections: see `fastlatent.epps_pulley`.
        n_points: see `fastlatent.epps_pulley`.
        t_max: see `fastlatent.epps_pulley`.
    """

    def __init__(self, *, n_projections: int = 128, n_points: int = 17, t_max: float = 3.0) -> None:
        super().__init__()
        self.n_projections, self.n_points, self.t_max = n_projections, n_points, t_max

    def forward(self, x: Tensor) -> Tensor:
        """Return the loss (...,) of a sample x (..., n, d)."""
        return losses.epps_pulley(x, n_projections=self.n_projections, n_points=self.n_points, t_max=self.t_max)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"n_projections={self.n_projections}, n_points={self.n_points}, t_max={self.t_max}"


class FrechetDistance(nn.Module):
    """Module of `fastlatent.frechet_distance`.

    Args:
        eps: see `fastlatent.frechet_distance`.
    """

    def __init__(self, *, eps: float = 0.0) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss (...,) of samples x (..., n, d) and y (..., m, d)."""
        return losses.frechet_distance(x, y, eps=self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"eps={self.eps}"


class FrechetDistanceNormal(nn.Module):
    """Module of `fastlatent.frechet_distance_normal`.

    Args:
        eps: see `fastlatent.frechet_distance_normal`.
    """

    def __init__(self, *, eps: float = 0.0) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return the loss (...,) of a sample x (..., n, d)."""
        return losses.frechet_distance_normal(x, eps=self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"eps={self.eps}"
