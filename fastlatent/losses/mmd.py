"""Maximum mean discrepancy with radial kernels (Gretton et al. 2012, "A kernel two-sample test")."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from ..kernels.pairwise import PairwiseForm
from . import checks
from .distributed import gather

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
ESTIMATORS = ("unbiased", "biased")


class Kernel(Protocol):
    """A radial kernel: a profile of the pairwise engine with its parameters."""

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        """Name of the engine's profile φ and its parameters, for points of d coordinates."""

    @property
    def at_zero(self) -> float:
        """φ(0), the kernel of a point with itself."""


@dataclass(frozen=True)
class IMQ:
    """Inverse multiquadratic: k(x, y) = Σ_c C_c/(C_c + ‖x−y‖²), C_c = scale_c·2dσ².

    Args:
        scales: scale_c, each > 0.
        sigma: standard deviation σ of the prior, > 0.

    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", section 4 and the authors' code.
    """

    scales: Sequence[float] = SCALES
    sigma: float = 1.0

    def __post_init__(self) -> None:
        checks.positives("scales", self.scales)
        checks.positive("sigma", self.sigma)

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        return "imq", tuple(scale * 2 * d * self.sigma**2 for scale in self.scales)

    @property
    def at_zero(self) -> float:
        return float(len(self.scales))


@dataclass(frozen=True)
class RBF:
    """Gaussian: k(x, y) = Σ_b exp(−‖x−y‖²/(2b²)).

    Args:
        bandwidths: b, each > 0.
    """

    bandwidths: Sequence[float] = (1.0,)

    def __post_init__(self) -> None:
        checks.positives("bandwidths", self.bandwidths)

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        return "gaussian", tuple(self.bandwidths)

    @property
    def at_zero(self) -> float:
        return float(len(self.bandwidths))


@dataclass(frozen=True)
class Laplace:
    """Laplace: k(x, y) = Σ_b exp(−‖x−y‖/b), with gradient 0 at x = y.

    Args:
        bandwidths: b, each > 0.
    """

    bandwidths: Sequence[float] = (1.0,)

    def __post_init__(self) -> None:
        checks.positives("bandwidths", self.bandwidths)

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        return "laplace", tuple(self.bandwidths)

    @property
    def at_zero(self) -> float:
        return float(len(self.bandwidths))


@dataclass(frozen=True)
class RationalQuadratic:
    """Rational quadratic: k(x, y) = Σ_α (1 + ‖x−y‖²/(2α))^(−α).

    Args:
        alphas: α, each > 0.

    Source: Bińkowski et al. 2018, "Demystifying MMD GANs", equation (9).
    """

    alphas: Sequence[float] = (0.2, 0.5, 1.0, 2.0, 5.0)

    def __post_init__(self) -> None:
        checks.positives("alphas", self.alphas)

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        return "rational_quadratic", tuple(self.alphas)

    @property
    def at_zero(self) -> float:
        return float(len(self.alphas))


def mmd(
    x: Tensor,
    y: Tensor,
    kernel: Kernel,
    *,
    estimator: str = "unbiased",
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Squared maximum mean discrepancy between two samples.

    unbiased: Σ_{i≠j} k(xᵢ, xⱼ)/(n(n−1)) + Σ_{i≠j} k(yᵢ, yⱼ)/(m(m−1)) − 2 Σ_ij k(xᵢ, yⱼ)/(nm);
    biased: the same with all pairs and n², m² (the V-statistic, never negative).

    Args:
        x: sample (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        y: sample (..., m, d).
        kernel: `IMQ`, `RBF`, `Laplace` or `RationalQuadratic`.
        estimator: "unbiased" (needs n, m ≥ 2) or "biased".
        group: take the loss over the batches of all ranks of this torch.distributed group.

    Returns:
        (...,) in the dtype of x, float32 for half precision. The unbiased estimate may be negative.

    Raises:
        TypeError, ValueError: for arguments outside what is said here.

    Source: Gretton et al. 2012, "A kernel two-sample test", equations (3) and (5).
    """
    checks.choice("estimator", estimator, ESTIMATORS)
    least = 2 if estimator == "unbiased" else 1
    if group is not None:
        checks.samples(x, y)
        x, y = gather(x, group), gather(y, group)
    checks.samples(x, y, least)
    n, m = x.shape[-2], y.shape[-2]
    profile, parameters = kernel.profile(x.shape[-1])
    if estimator == "unbiased":
        return PairwiseForm(profile, parameters, (1 / (n * (n - 1)), -2 / (n * m), 1 / (m * (m - 1))))(x, y)
    form = PairwiseForm(profile, parameters, (1 / n**2, -2 / (n * m), 1 / m**2))
    return form(x, y) + kernel.at_zero * (1 / n + 1 / m)


def mmd_imq(
    x: Tensor,
    y: Tensor,
    *,
    scales: Sequence[float] = SCALES,
    sigma: float = 1.0,
    estimator: str = "unbiased",
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """`mmd` with the kernel `IMQ`, the penalty of WAE-MMD: k = Σ_c C_c/(C_c + ‖x−y‖²), C_c = scale_c·2dσ².

    Args:
        x: codes (..., n, d).
        y: a sample of the prior (..., m, d).
        scales: of the kernel, each > 0.
        sigma: standard deviation of the prior, > 0.
        estimator, group: see `mmd`.

    Returns, raises: see `mmd`.

    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 2 and the authors' code.
    """
    return mmd(x, y, IMQ(scales, sigma), estimator=estimator, group=group)
