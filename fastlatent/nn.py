"""The losses as modules: options in the constructor, samples in the call."""

from collections.abc import Sequence

from torch import Tensor, nn

from .losses import mmd as _mmd


class MMD(nn.Module):
    """`fastlatent.mmd` with a given kernel."""

    def __init__(self, kernel: _mmd.Kernel, *, estimator: str = "unbiased") -> None:
        super().__init__()
        self.kernel, self.estimator = kernel, estimator

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return _mmd.mmd(x, y, self.kernel, estimator=self.estimator)

    def extra_repr(self) -> str:
        return f"{self.kernel}, estimator={self.estimator!r}"


class MMDIMQ(MMD):
    """`fastlatent.mmd_imq`, the penalty of WAE-MMD."""

    def __init__(
        self, *, scales: Sequence[float] = _mmd.SCALES, sigma: float = 1.0, estimator: str = "unbiased"
    ) -> None:
        super().__init__(_mmd.IMQ(scales, sigma), estimator=estimator)
