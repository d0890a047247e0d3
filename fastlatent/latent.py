"""Operations on latent codes: interpolation, latent algebra, and the realism index under a prior."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .priors import Prior
from .utils import checks

MAX_SMOOTHED_SCORES = 256  # subsample of the scores for the smooth index

Score = Callable[[Tensor], Tensor]
"""Score of codes (..., d) as (...,), larger for better codes, for example a density or its logarithm."""


def linear(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Interpolate linearly between a and b.

    (1 − t)·a + t·b for equally spaced t from 0 to 1.

    Args:
        a: first code (..., d).
        b: last code (..., d).
        steps: number of points, ≥ 2.

    Returns:
        (..., steps, d), from a to b.

    Raises:
        TypeError, ValueError: if a and b differ in shape, dtype or device, or steps is not an integer ≥ 2.
    """
    t = _interpolation_weights(a, b, steps)
    return torch.lerp(a.unsqueeze(-2), b.unsqueeze(-2), t)


def spherical(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Interpolate spherically between a and b.

    (sin((1 − t)·Ω)·a + sin(t·Ω)·b)/sin Ω for equally spaced t from 0 to 1, Ω the angle between a and b. If a and b are
    parallel or antiparallel, or one is 0, the interpolation is linear.

    Args:
        a: first code (..., d).
        b: last code (..., d).
        steps: number of points, ≥ 2.

    Returns:
        (..., steps, d), from a to b.

    Raises:
        TypeError, ValueError: see `linear`.

    Source: Shoemake 1985, "Animating rotation with quaternion curves"; for codes: White 2016, "Sampling generative
    networks", section 2.1.
    """
    t = _interpolation_weights(a, b, steps)
    a, b = a.unsqueeze(-2), b.unsqueeze(-2)
    angle = torch.acos(torch.cosine_similarity(a, b, dim=-1).clamp(-1, 1)).unsqueeze(-1)
    sine = angle.sin()
    norms = torch.linalg.vector_norm(a, dim=-1, keepdim=True) * torch.linalg.vector_norm(b, dim=-1, keepdim=True)
    degenerate = (sine < math.sqrt(torch.finfo(a.dtype).eps)) | (norms == 0)  # Ω has lost at least half its digits
    safe = torch.where(degenerate, 1.0, sine)
    curved = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / safe
    return torch.where(degenerate, torch.lerp(a, b, t), curved)


def algebra(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Compute a − b + c, which adds the difference between a and b to c.

    Args:
        a: code, or mean code of a group, (..., d).
        b: code, or mean code of a group, (..., d).
        c: code, or mean code of a group, (..., d).

    Returns:
        (..., d).

    Source: Mikolov et al. 2013, "Linguistic regularities in continuous space word representations".
    """
    return a - b + c


class RealismIndex:
    """Monte Carlo estimate of the realism index ri(z; f) = P(f(X) ≤ f(z)), X from the prior.

    Args:
        score: f, for example the density of the prior or its logarithm.
        prior: distribution of X.
        samples: number of draws of X, ≥ 1; the standard error is at most 1/(2·√samples).
        generator: random generator of the draws; None: torch's default.

    Raises:
        TypeError, ValueError: if samples is not an integer ≥ 1.

    Source: Struski et al. 2019, "Realism index: interpolation in generative models with arbitrary prior".
    """

    def __init__(
        self, score: Score, prior: Prior, *, samples: int = 10_000, generator: torch.Generator | None = None
    ) -> None:
        checks.count("samples", samples)
        self.score = score
        with torch.no_grad():
            self.scores = score(prior.sample(samples, generator=generator)).sort().values

    def __call__(self, z: Tensor) -> Tensor:
        """Return ri(z) (...,) of codes z (..., d), from 0 to 1 for the codes of the highest score."""
        scores = self.scores.to(z.device)
        return torch.searchsorted(scores, self.score(z).contiguous(), right=True).to(z.dtype) / len(scores)

    def log_smooth(self, z: Tensor) -> Tensor:
        """Compute a smooth log ri(z), in which sigmoids replace the steps of P.

        The width of the sigmoids is Silverman's bandwidth, std(f(X))·n^(−1/5).

        Args:
            z: codes (..., d).

        Returns:
            (...,).
        """
        grid = self.scores[:: max(1, len(self.scores) // MAX_SMOOTHED_SCORES)].to(z.device, z.dtype)
        width = (grid.std() * len(grid) ** -0.2).clamp_min(torch.finfo(grid.dtype).tiny)  # all scores may be equal
        difference = (self.score(z).unsqueeze(-1) - grid) / width
        return torch.nn.functional.logsigmoid(difference).logsumexp(-1) - math.log(len(grid))


def realism_index_normal(z: Tensor, std: float = 1.0) -> Tensor:
    """Compute the realism index of codes under N(0, std²·I) and its density.

    Γ(d/2, ‖z‖²/(2·std²))/Γ(d/2), the tail of a χ² distribution.

    Args:
        z: codes (..., d).
        std: standard deviation, > 0.

    Returns:
        (...,).

    Raises:
        TypeError, ValueError: if std is not a finite number > 0.

    Source: Struski et al. 2019: the density falls with ‖z‖, and ‖X‖²/std² has the χ² distribution with d degrees.
    """
    half = z.square().sum(-1) / (2 * checks.positive("std", std) ** 2)
    return torch.special.gammaincc(torch.full_like(half, z.shape[-1] / 2), half)


def along_density(a: Tensor, b: Tensor, steps: int, index: RealismIndex, *, iterations: int = 200) -> Tensor:
    """Interpolate between a and b along a short path of high realism index.

    Minimizes Σᵢ ‖zᵢ₊₁ − zᵢ‖²·(1 − log ri(mᵢ))², mᵢ = (zᵢ + zᵢ₊₁)/2, over paths z₁ = a, …, z_steps = b, with the smooth
    index, by L-BFGS from the straight line: a geodesic of the metric scaled by 1 − log ri. If ri is constant, the
    result is the straight line.

    Args:
        a: first code (d,).
        b: last code (d,).
        steps: number of points, ≥ 2.
        index: realism index of a differentiable score.
        iterations: maximum number of iterations, ≥ 1.

    Returns:
        (steps, d), from a to b.

    Raises:
        TypeError, ValueError: see `linear`; also if a is not a vector, or iterations is not an integer ≥ 1.

    Source: after Struski et al. 2019, who maximize the index along the path.
    """
    line = linear(a, b, steps)
    if a.dim() != 1:
        raise ValueError(f"a and b must have shape (d,); got shape {tuple(a.shape)}")
    checks.count("iterations", iterations)
    inner = line[1:-1].detach().clone().requires_grad_()
    if inner.numel() == 0:
        return line
    optimizer = torch.optim.LBFGS([inner], max_iter=iterations, line_search_fn="strong_wolfe")

    def path() -> Tensor:
        return torch.cat([a[None], inner, b[None]])

    def length() -> Tensor:
        optimizer.zero_grad()
        z = path()
        midpoints = (z[1:] + z[:-1]) / 2
        value = (z.diff(dim=0).square().sum(1) * (1 - index.log_smooth(midpoints)).square()).sum()
        value.backward()
        return value

    optimizer.step(length)
    return path().detach()


def _interpolation_weights(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Return t (steps, 1) from 0 to 1, after checks of the arguments."""
    checks.same_dtype_and_device({"a": a, "b": b})
    if a.shape != b.shape or a.dim() < 1:
        raise ValueError(f"a and b must have the same shape (..., d); got {tuple(a.shape)} and {tuple(b.shape)}")
    return torch.linspace(0, 1, checks.count("steps", steps, 2), dtype=a.dtype, device=a.device)[:, None]
