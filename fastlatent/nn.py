"""The losses as modules: options in the constructor, samples in the call."""

from collections.abc import Sequence

from torch import Tensor, nn

from . import losses


class MMD(nn.Module):
    """`fastlatent.mmd` with a given kernel."""

    def __init__(self, kernel: losses.kernels.Kernel, *, estimator: str = "unbiased") -> None:
        super().__init__()
        self.kernel, self.estimator = kernel, estimator

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return losses.mmd(x, y, self.kernel, estimator=self.estimator)

    def extra_repr(self) -> str:
        return f"{self.kernel}, estimator={self.estimator!r}"


class MMDIMQ(MMD):
    """`fastlatent.mmd_imq`, the penalty of WAE-MMD."""

    def __init__(
        self, *, scales: Sequence[float] = losses.kernels.SCALES, sigma: float = 1.0, estimator: str = "unbiased"
    ) -> None:
        super().__init__(losses.IMQ(scales, sigma), estimator=estimator)


class CramerWold(nn.Module):
    """`fastlatent.cramer_wold`."""

    def __init__(self, *, gamma: float | None = None) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return losses.cramer_wold(x, y, gamma=self.gamma)

    def extra_repr(self) -> str:
        return f"gamma={self.gamma}"


class CramerWoldNormal(nn.Module):
    """`fastlatent.cramer_wold_normal`, the penalty of CWAE."""

    def __init__(self, *, gamma: float | None = None) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, x: Tensor) -> Tensor:
        return losses.cramer_wold_normal(x, gamma=self.gamma)

    def extra_repr(self) -> str:
        return f"gamma={self.gamma}"


class ChamferDistance(nn.Module):
    """`fastlatent.chamfer_distance`."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return losses.chamfer_distance(x, y)


class SlicedWasserstein(nn.Module):
    """`fastlatent.sliced_wasserstein`, with new random directions at every call."""

    def __init__(self, *, n_projections: int = 128, p: float = 2, orthogonal: bool = False) -> None:
        super().__init__()
        self.n_projections, self.p, self.orthogonal = n_projections, p, orthogonal

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return losses.sliced_wasserstein(x, y, n_projections=self.n_projections, p=self.p, orthogonal=self.orthogonal)

    def extra_repr(self) -> str:
        return f"n_projections={self.n_projections}, p={self.p}, orthogonal={self.orthogonal}"


class SlicedWassersteinNormal(nn.Module):
    """`fastlatent.sliced_wasserstein_normal`, with new random directions at every call."""

    def __init__(self, *, n_projections: int = 128) -> None:
        super().__init__()
        self.n_projections = n_projections

    def forward(self, x: Tensor) -> Tensor:
        return losses.sliced_wasserstein_normal(x, n_projections=self.n_projections)

    def extra_repr(self) -> str:
        return f"n_projections={self.n_projections}"


class EppsPulley(nn.Module):
    """`fastlatent.epps_pulley`, with new random directions at every call."""

    def __init__(self, *, n_projections: int = 128, n_points: int = 17, t_max: float = 3.0) -> None:
        super().__init__()
        self.n_projections, self.n_points, self.t_max = n_projections, n_points, t_max

    def forward(self, x: Tensor) -> Tensor:
        return losses.epps_pulley(x, n_projections=self.n_projections, n_points=self.n_points, t_max=self.t_max)

    def extra_repr(self) -> str:
        return f"n_projections={self.n_projections}, n_points={self.n_points}, t_max={self.t_max}"


class FrechetDistance(nn.Module):
    """`fastlatent.frechet_distance` of two samples."""

    def __init__(self, *, eps: float = 0.0) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return losses.frechet_distance(x, y, eps=self.eps)

    def extra_repr(self) -> str:
        return f"eps={self.eps}"


class FrechetDistanceNormal(nn.Module):
    """`fastlatent.frechet_distance_normal`, of a sample to N(0, I)."""

    def __init__(self, *, eps: float = 0.0) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return losses.frechet_distance_normal(x, eps=self.eps)

    def extra_repr(self) -> str:
        return f"eps={self.eps}"
