"""Tools for codes: interpolation, latent algebra, and how realistic a code is under the prior."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .priors import Prior
from .utils import checks

Score = Callable[[Tensor], Tensor]
"""From codes (..., d) to numbers (...,): a density, its logarithm, or whatever is larger for better codes."""


def linear(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Straight line from a to b: (1 − t)·a + t·b for `steps` values of t from 0 to 1.

    Args:
        a, b: codes (..., d).
        steps: number of points, ≥ 2.

    Returns:
        (..., steps, d); the first is a, the last b.

    Raises:
        TypeError, ValueError: if a and b differ in shape, dtype or device, or steps is no integer ≥ 2.
    """
    t = _times(a, b, steps)
    return torch.lerp(a.unsqueeze(-2), b.unsqueeze(-2), t)


def spherical(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Spherical path from a to b: (sin((1 − t)·Ω)·a + sin(t·Ω)·b)/sin Ω, Ω the angle between a and b.

    Where a and b point the same way or opposite ways, or one is 0, no plane is given, and the path is straight.

    Args:
        a, b: codes (..., d).
        steps: number of points, ≥ 2.

    Returns:
        (..., steps, d); the first is a, the last b.

    Raises:
        TypeError, ValueError: as of `linear`.

    Source: Shoemake 1985, "Animating rotation with quaternion curves"; for codes: White 2016, "Sampling generative
    networks", section 2.1.
    """
    t = _times(a, b, steps)
    a, b = a.unsqueeze(-2), b.unsqueeze(-2)
    angle = torch.acos(torch.cosine_similarity(a, b, dim=-1).clamp(-1, 1)).unsqueeze(-1)
    sine = angle.sin()
    norms = torch.linalg.vector_norm(a, dim=-1, keepdim=True) * torch.linalg.vector_norm(b, dim=-1, keepdim=True)
    flat = (sine < math.sqrt(torch.finfo(a.dtype).eps)) | (norms == 0)  # there Ω has lost half its digits, or all
    safe = torch.where(flat, 1.0, sine)
    curved = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / safe
    return torch.where(flat, torch.lerp(a, b, t), curved)


def algebra(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """a − b + c: what a has over b, given to c; codes, or mean codes of groups, (..., d).

    Source: Mikolov et al. 2013, "Linguistic regularities in continuous space word representations".
    """
    return a - b + c


class RealismIndex:
    """Realism index ri(z; f) = P(f(X) ≤ f(z)), X from the prior, by sampling: 1 for the best codes, 0 for the worst.

    Args:
        score: f, e.g. a density of the prior or its logarithm.
        prior: distribution of X.
        samples: draws of X, ≥ 1; the index is right to about 1/(2·√samples).
        generator: of the draws; None: torch's own.

    Raises:
        TypeError, ValueError: if samples is no integer ≥ 1.

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
        """ri of codes z (..., d), (...,)."""
        scores = self.scores.to(z.device)
        return torch.searchsorted(scores, self.score(z).contiguous(), right=True).to(z.dtype) / len(scores)

    def log_smooth(self, z: Tensor) -> Tensor:
        """log ri of codes z (..., d), (...,), each step of P made a sigmoid, and so differentiable everywhere.

        The sigmoids are as wide as Silverman's rule makes a kernel, std(f(X))·n^(−1/5).
        """
        grid = self.scores[:: max(1, len(self.scores) // KNOTS)].to(z.device, z.dtype)
        width = (grid.std() * len(grid) ** -0.2).clamp_min(torch.finfo(grid.dtype).tiny)  # all scores may be equal
        above = (self.score(z).unsqueeze(-1) - grid) / width
        return torch.nn.functional.logsigmoid(above).logsumexp(-1) - math.log(len(grid))


KNOTS = 256  # scores that stand for all in the smooth index


def realism_index_normal(z: Tensor, std: float = 1.0) -> Tensor:
    """Realism index of codes under N(0, std²·I) and its density: Γ(d/2, ‖z‖²/(2·std²))/Γ(d/2), a χ² tail.

    Args:
        z: codes (..., d).
        std: standard deviation, > 0.

    Returns:
        (...,).

    Raises:
        ValueError: if std is no finite number > 0.

    Source: Struski et al. 2019: the density falls with ‖z‖, and ‖X‖²/std² has the χ² distribution with d degrees.
    """
    half = z.square().sum(-1) / (2 * checks.positive("std", std) ** 2)
    return torch.special.gammaincc(torch.full_like(half, z.shape[-1] / 2), half)


def along_density(a: Tensor, b: Tensor, steps: int, index: RealismIndex, *, iterations: int = 200) -> Tensor:
    """Short path from a to b whose points keep a high realism index.

    Of all paths z₁ = a, …, z_steps = b it seeks the least Σᵢ ‖zᵢ₊₁ − zᵢ‖²·(1 − log ri(mᵢ))², mᵢ = (zᵢ + zᵢ₊₁)/2, with
    the smooth index, by L-BFGS from the straight line: a geodesic where lengths count 1 − log ri times. Where all is
    realistic it is the straight line.

    Args:
        a, b: codes (d,).
        steps: number of points, ≥ 2.
        index: the realism index, of a score with a gradient.
        iterations: at most so many.

    Returns:
        (steps, d); the first is a, the last b.

    Raises:
        TypeError, ValueError: as of `linear`; if a is no vector; if iterations is no integer ≥ 1.

    Source: Struski et al. 2019, in the manner of; they maximize the index along the path.
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
        between = (z[1:] + z[:-1]) / 2
        value = (z.diff(dim=0).square().sum(1) * (1 - index.log_smooth(between)).square()).sum()
        value.backward()
        return value

    optimizer.step(length)
    return path().detach()


def _times(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """t (steps, 1) from 0 to 1, once the arguments are found right."""
    checks.alike({"a": a, "b": b})
    if a.shape != b.shape or a.dim() < 1:
        raise ValueError(f"a and b must have the same shape (..., d); got {tuple(a.shape)} and {tuple(b.shape)}")
    return torch.linspace(0, 1, checks.count("steps", steps, 2), dtype=a.dtype, device=a.device)[:, None]
