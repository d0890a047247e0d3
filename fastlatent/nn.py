"""The losses as modules: options in the constructor, samples in the call."""

from collections.abc import Sequence

from torch import Tensor, nn

from .losses import cramer_wold as _cramer_wold
from .losses import frechet as _frechet
from .losses import kernels as _kernels
from .losses import mmd as _mmd
from .losses import pointcloud as _pointcloud


class MMD(nn.Module):
    """`fastlatent.mmd` with a given kernel."""

    def __init__(self, kernel: _kernels.Kernel, *, estimator: str = "unbiased") -> None:
        super().__init__()
        self.kernel, self.estimator = kernel, estimator

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return _mmd.mmd(x, y, self.kernel, estimator=self.estimator)

    def extra_repr(self) -> str:
        return f"{self.kernel}, estimator={self.estimator!r}"


class MMDIMQ(MMD):
    """`fastlatent.mmd_imq`, the penalty of WAE-MMD."""

    def __init__(
        self, *, scales: Sequence[float] = _kernels.SCALES, sigma: float = 1.0, estimator: str = "unbiased"
    ) -> None:
        super().__init__(_kernels.IMQ(scales, sigma), estimator=estimator)


class CramerWold(nn.Module):
    """`fastlatent.cramer_wold`."""

    def __init__(self, *, gamma: float | None = None) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return _cramer_wold.cramer_wold(x, y, gamma=self.gamma)

    def extra_repr(self) -> str:
        return f"gamma={self.gamma}"


class CramerWoldNormal(nn.Module):
    """`fastlatent.cramer_wold_normal`, the penalty of CWAE."""

    def __init__(self, *, gamma: float | None = None) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, x: Tensor) -> Tensor:
        return _cramer_wold.cramer_wold_normal(x, gamma=self.gamma)

    def extra_repr(self) -> str:
        return f"gamma={self.gamma}"


class ChamferDistance(nn.Module):
    """`fastlatent.chamfer_distance`."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return _pointcloud.chamfer_distance(x, y)


class FrechetDistance(nn.Module):
    """`fastlatent.frechet_distance` of two samples."""

    def __init__(self, *, eps: float = 0.0) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return _frechet.frechet_distance(x, y, eps=self.eps)

    def extra_repr(self) -> str:
        return f"eps={self.eps}"


class FrechetDistanceNormal(nn.Module):
    """`fastlatent.frechet_distance_normal`, of a sample to N(0, I)."""

    def __init__(self, *, eps: float = 0.0) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return _frechet.frechet_distance_normal(x, eps=self.eps)

    def extra_repr(self) -> str:
        return f"eps={self.eps}"
