"""Kernels of `mmd`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..utils import checks

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Kernel(Protocol):
    """Kernel k(x, y) that the pairwise engine can sum."""

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        """Return the name and the parameters of the engine's profile for points of d coordinates."""


def _store(kernel: Any, **options: Any) -> None:
    """Replace options of a frozen kernel by the checked numbers, which are immutable."""
    for name, value in options.items():
        object.__setattr__(kernel, name, value)


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
        _store(self, scales=checks.positives("scales", self.scales), sigma=checks.positive("sigma", self.sigma))

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        """Return the name and the parameters of the engine's profile for points of d coordinates."""
        return "imq", tuple(scale * 2 * d * self.sigma**2 for scale in self.scales)


@dataclass(frozen=True)
class RBF:
    """Gaussian: k(x, y) = Σ_b exp(−‖x−y‖²/(2b²)).

    Args:
        bandwidths: b, each > 0; or "median": the median distance between points of the pooled sample, without
            gradient (of a sample of more than 1000 points, about 1000 evenly spaced ones are used).

    Source: Gretton et al. 2012, "A kernel two-sample test", section 8 (the median heuristic).
    """

    bandwidths: Sequence[float] | str = (1.0,)

    def __post_init__(self) -> None:
        if isinstance(self.bandwidths, str):
            checks.choice("bandwidths", self.bandwidths, ("median",))
        else:
            _store(self, bandwidths=checks.positives("bandwidths", self.bandwidths))

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        """Return the name and the parameters of the engine's profile for points of d coordinates."""
        if isinstance(self.bandwidths, str):  # mmd divides the samples by the median
            return "gaussian", (1.0,)
        return "gaussian", tuple(self.bandwidths)


@dataclass(frozen=True)
class Laplace:
    """Laplace: k(x, y) = Σ_b exp(−‖x−y‖/b), with gradient 0 at x = y.

    Args:
        bandwidths: b, each > 0.
    """

    bandwidths: Sequence[float] = (1.0,)

    def __post_init__(self) -> None:
        _store(self, bandwidths=checks.positives("bandwidths", self.bandwidths))

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        """Return the name and the parameters of the engine's profile for points of d coordinates."""
        return "laplace", tuple(self.bandwidths)


@dataclass(frozen=True)
class RationalQuadratic:
    """Rational quadratic: k(x, y) = Σ_α (1 + ‖x−y‖²/(2α))^(−α).

    Args:
        alphas: α, each > 0.

    Source: Bińkowski et al. 2018, "Demystifying MMD GANs", equation (9).
    """

    alphas: Sequence[float] = (0.2, 0.5, 1.0, 2.0, 5.0)

    def __post_init__(self) -> None:
        _store(self, alphas=checks.positives("alphas", self.alphas))

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        """Return the name and the parameters of the engine's profile for points of d coordinates."""
        return "rational_quadratic", tuple(self.alphas)


@dataclass(frozen=True)
class Energy:
    """Negative distance: k(x, y) = −‖x−y‖, with gradient 0 at x = y. Its MMD is the energy distance.

    Source: Sejdinovic et al. 2013, "Equivalence of distance-based and RKHS-based statistics".
    """

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        """Return the name and the parameters of the engine's profile for points of d coordinates."""
        return "energy", ()


@dataclass(frozen=True)
class Polynomial:
    """Polynomial: k(x, y) = (γ⟨x, y⟩ + c)^p, computed in float64.

    Args:
        degree: p, an integer ≥ 1.
        gamma: γ > 0; None: 1/d.
        offset: c ≥ 0.

    Source: Bińkowski et al. 2018, "Demystifying MMD GANs", section 4 (the kernel of KID).
    """

    degree: int = 3
    gamma: float | None = None
    offset: float = 1.0

    def __post_init__(self) -> None:
        gamma = None if self.gamma is None else checks.positive("gamma", self.gamma)
        degree, offset = checks.count("degree", self.degree), checks.non_negative("offset", self.offset)
        _store(self, degree=degree, gamma=gamma, offset=offset)

    def profile(self, d: int) -> tuple[str, tuple[float, ...]]:
        """Return the name and the parameters of the engine's profile for points of d coordinates."""
        return "polynomial", (self.gamma or 1 / d, self.offset, float(self.degree))
