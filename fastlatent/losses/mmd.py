"""Maximum mean discrepancy (Gretton et al. 2012, "A kernel two-sample test") and its named special cases."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.pairwise import PairwiseSum
from ..kernels.precision import widen
from ..utils import checks
from ..utils.distributed import all_gather
from . import random_features
from .kernels import IMQ, RBF, SCALES, Energy, Kernel, Laplace, Polynomial, RationalQuadratic

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

ESTIMATORS = ("unbiased", "biased", "block", "linear", "features")
MEDIAN_POINTS = 1000  # maximum number of points of each sample for the median bandwidth


def mmd(
    x: Tensor,
    y: Tensor,
    kernel: Kernel,
    *,
    estimator: str = "unbiased",
    block_size: int | None = None,
    n_features: int = 1024,
    generator: torch.Generator | None = None,
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Compute the squared maximum mean discrepancy between two samples.

    unbiased: Σ_{i≠j} k(xᵢ, xⱼ)/(n(n−1)) + Σ_{i≠j} k(yᵢ, yⱼ)/(m(m−1)) − 2 Σ_ij k(xᵢ, yⱼ)/(nm);
    biased: the same with all pairs and n², m² (the V-statistic, never negative except for rounding);
    block: the mean of the unbiased estimate over blocks of B points of each sample;
    linear: the same with blocks of 2 points;
    features: ‖mean ψ(x) − mean ψ(y)‖² with D random Fourier features, an approximation of the biased one.

    Cost, in operations and memory: unbiased and biased O((n+m)²·d), O((n+m)·d); block O(n·B·d), O(n·d);
    linear O(n·d), O(n·d); features O((n+m)·d·D), O((n+m)·D).

    Args:
        x: sample (..., n, d), float64, float32, bfloat16 or float16; leading dimensions are batches.
        y: sample (..., m, d).
        kernel: `IMQ`, `RBF`, `Laplace`, `RationalQuadratic`, `Energy` or `Polynomial`.
        estimator: "unbiased" (n, m ≥ 2), "biased", "block" or "linear" (n = m ≥ B; points beyond the last full block
            are unused), "features" (`RBF` and `Laplace`).
        block_size: B ≥ 2 for "block"; None: ⌊√n⌋, at least 2.
        n_features: D for "features", for each bandwidth, ≥ 1.
        generator: random generator of the features; None: torch's default.
        group: torch.distributed group, the union of whose ranks' batches is the sample; None: this batch only.

    Returns:
        (...,) in the dtype of x, float32 for half precision. Unbiased estimates may be negative.

    Raises:
        TypeError, ValueError: for arguments of other types, shapes or ranges.

    Source: Gretton et al. 2012, equations (3) and (5), section 6 (linear); Zaremba et al. 2013, "B-tests" (block);
    Rahimi & Recht 2007, "Random features for large-scale kernel machines".
    """
    checks.choice("estimator", estimator, ESTIMATORS)
    if block_size is not None and estimator != "block":
        raise ValueError(
            f"block_size requires estimator='block'; got block_size={block_size!r}, estimator={estimator!r}"
        )
    if isinstance(kernel, type) or not callable(getattr(kernel, "profile", None)):
        raise TypeError(f"kernel must be a kernel of fastlatent, for example IMQ() or RBF((1.0,)); got {kernel!r}")
    min_points = 1 if estimator in ("biased", "features") else 2
    if group is not None:
        checks.samples(x, y)
        x, y = all_gather(x, group), all_gather(y, group)
    checks.samples(x, y, min_points, f"estimator={estimator!r}")
    if isinstance(kernel, RBF) and kernel.bandwidths == "median":
        x, y = _divide_by_median(x, y)
    if estimator == "features":
        return random_features.mmd(x, y, kernel, checks.count("n_features", n_features), generator, group)
    if estimator in ("block", "linear"):
        x, y = _blocks(x, y, 2 if estimator == "linear" else block_size)
        return _quadratic_form(x, y, kernel, unbiased=True).mean(-1)
    return _quadratic_form(x, y, kernel, unbiased=estimator == "unbiased")


def _quadratic_form(x: Tensor, y: Tensor, kernel: Kernel, *, unbiased: bool) -> Tensor:
    n, m = x.shape[-2], y.shape[-2]
    profile, parameters = kernel.profile(x.shape[-1])
    counts = (n * (n - 1), n * m, m * (m - 1)) if unbiased else (n * n, n * m, m * m)
    weights = (1 / counts[0], -2 / counts[1], 1 / counts[2])
    return PairwiseSum(profile, parameters, weights, diagonal=not unbiased)(x, y)


def _blocks(x: Tensor, y: Tensor, size: int | None) -> tuple[Tensor, Tensor]:
    """Reshape both samples from (..., n, d) to (..., n // size, size, d)."""
    n = x.shape[-2]
    if y.shape[-2] != n:
        raise ValueError(
            f"x and y must have the same number of points for 'block' and 'linear'; got {n} and {y.shape[-2]}"
        )
    size = max(2, math.isqrt(n)) if size is None else checks.count("block_size", size, 2)
    if size > n:
        raise ValueError(f"block_size must be at most n = {n}; got {size}")
    count = n // size
    x, y = (z[..., : count * size, :].unflatten(-2, (count, size)) for z in (x, y))
    return x, y


def _divide_by_median(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Center both samples at their common mean, to avoid cancellation, and divide them by their median distance."""
    x, y = widen(x), widen(y)
    scale = median_distance(x, y)[..., None, None]
    origin = torch.cat([x, y], -2).detach().mean(-2, keepdim=True)
    return (x - origin) / scale, (y - origin) / scale


def median_distance(x: Tensor, y: Tensor) -> Tensor:
    """Compute the median of ‖zᵢ−zⱼ‖ over i < j, z = [x; y].

    Args:
        x: sample (..., n, d).
        y: sample (..., m, d).

    Returns:
        (...,) in the dtype of x; 1 if all points coincide.
    """
    x, y = x.detach(), y.detach()  # not no_grad, which torch.jit.trace does not record
    z = widen(torch.cat([s[..., :: -(-s.shape[-2] // MEDIAN_POINTS), :] for s in (x, y)], -2))
    count = z.shape[-2]
    pairs = torch.triu_indices(count, count, 1, device=z.device)
    distances = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist")[..., pairs[0], pairs[1]]
    median = distances.median(-1).values
    return torch.where(median > 0, median, 1).to(x.dtype)


def mmd_imq(
    x: Tensor,
    y: Tensor,
    *,
    scales: Sequence[float] = SCALES,
    sigma: float = 1.0,
    estimator: str = "unbiased",
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Compute `mmd` with the kernel `IMQ`, the penalty of WAE-MMD.

    k(x, y) = Σ_c C_c/(C_c + ‖x−y‖²), C_c = scale_c·2dσ².

    Args:
        x: latent codes (..., n, d).
        y: sample of the prior (..., m, d).
        scales: scale_c of the kernel, each > 0.
        sigma: standard deviation σ of the prior, > 0.
        estimator: see `mmd`.
        group: see `mmd`.

    Returns:
        See `mmd`.

    Raises:
        TypeError, ValueError: see `mmd`.

    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", algorithm 2 and the authors' code.
    """
    return mmd(x, y, IMQ(scales, sigma), estimator=estimator, group=group)


def mmd_rbf(
    x: Tensor,
    y: Tensor,
    *,
    bandwidths: Sequence[float] | str = (1.0,),
    estimator: str = "unbiased",
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Compute `mmd` with the kernel `RBF`.

    k(x, y) = Σ_b exp(−‖x−y‖²/(2b²)).

    Args:
        x: sample (..., n, d).
        y: sample (..., m, d).
        bandwidths: b, each > 0, or "median".
        estimator: see `mmd`.
        group: see `mmd`.

    Returns:
        See `mmd`.

    Raises:
        TypeError, ValueError: see `mmd`.
    """
    return mmd(x, y, RBF(bandwidths), estimator=estimator, group=group)


def mmd_laplace(
    x: Tensor,
    y: Tensor,
    *,
    bandwidths: Sequence[float] = (1.0,),
    estimator: str = "unbiased",
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Compute `mmd` with the kernel `Laplace`.

    k(x, y) = Σ_b exp(−‖x−y‖/b).

    Args:
        x: sample (..., n, d).
        y: sample (..., m, d).
        bandwidths: b, each > 0.
        estimator: see `mmd`.
        group: see `mmd`.

    Returns:
        See `mmd`.

    Raises:
        TypeError, ValueError: see `mmd`.
    """
    return mmd(x, y, Laplace(bandwidths), estimator=estimator, group=group)


def mmd_rational_quadratic(
    x: Tensor,
    y: Tensor,
    *,
    alphas: Sequence[float] = RationalQuadratic.alphas,
    estimator: str = "unbiased",
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Compute `mmd` with the kernel `RationalQuadratic`.

    k(x, y) = Σ_α (1 + ‖x−y‖²/(2α))^(−α).

    Args:
        x: sample (..., n, d).
        y: sample (..., m, d).
        alphas: α, each > 0.
        estimator: see `mmd`.
        group: see `mmd`.

    Returns:
        See `mmd`.

    Raises:
        TypeError, ValueError: see `mmd`.
    """
    return mmd(x, y, RationalQuadratic(alphas), estimator=estimator, group=group)


def energy_distance(
    x: Tensor, y: Tensor, *, estimator: str = "unbiased", group: "ProcessGroup | None" = None
) -> Tensor:
    """Compute the energy distance, `mmd` with the kernel `Energy`.

    2E‖x−y‖ − E‖x−x'‖ − E‖y−y'‖, with gradient 0 at distance 0.

    Args:
        x: sample (..., n, d).
        y: sample (..., m, d).
        estimator: see `mmd`.
        group: see `mmd`.

    Returns:
        See `mmd`.

    Raises:
        TypeError, ValueError: see `mmd`.

    Source: Székely & Rizzo 2013, "Energy statistics", equation (2.1).
    """
    return mmd(x, y, Energy(), estimator=estimator, group=group)


def polynomial_mmd(
    x: Tensor,
    y: Tensor,
    *,
    degree: int = 3,
    gamma: float | None = None,
    offset: float = 1.0,
    estimator: str = "unbiased",
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Compute `mmd` with the kernel `Polynomial`.

    k(x, y) = (γ⟨x, y⟩ + c)^p; with the defaults, on Inception features, the kernel Inception distance (KID).

    Args:
        x: sample (..., n, d).
        y: sample (..., m, d).
        degree: p, an integer ≥ 1.
        gamma: γ > 0; None: 1/d.
        offset: c ≥ 0.
        estimator: see `mmd`.
        group: see `mmd`.

    Returns:
        See `mmd`.

    Raises:
        TypeError, ValueError: see `mmd`.

    Source: Bińkowski et al. 2018, "Demystifying MMD GANs", section 4.
    """
    return mmd(x, y, Polynomial(degree, gamma, offset), estimator=estimator, group=group)
