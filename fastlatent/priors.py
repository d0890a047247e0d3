"""Prior distributions of latent codes."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from .data.batch import UNLABELED
from .utils import checks

Generator: TypeAlias = torch.Generator | None
Device: TypeAlias = torch.device | str | None


class Prior(Protocol):
    """Distribution of latent codes."""

    @property
    def dim(self) -> int:
        """Number of coordinates of a code."""

    def sample(
        self,
        n: int,
        *,
        generator: Generator = None,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """Draw n independent codes.

        Args:
            n: number of codes, ≥ 0.
            generator: random generator on the same device; None: torch's default.
            device: device of the result; None: torch's default.
            dtype: dtype of the result; None: torch's default.

        Returns:
            (n, dim).

        Raises:
            TypeError, ValueError: if n is not an integer ≥ 0.
        """


class LabeledPrior(Prior, Protocol):
    """Mixture with one component for each class."""

    @property
    def num_classes(self) -> int:
        """Number of components."""

    def sample_conditional(
        self, label: Tensor, *, generator: Generator = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw a code for each label from the component of its class, or from the mixture for `UNLABELED`.

        Args:
            label: (n,) integers below num_classes, or `UNLABELED`; the result is on its device.
            generator: random generator on the same device; None: torch's default.
            dtype: dtype of the result; None: torch's default.

        Returns:
            (n, dim).
        """


@dataclass(frozen=True)
class Normal:
    """Isotropic Gaussian N(0, std²·I).

    Args:
        dim: number of coordinates, ≥ 1.
        std: standard deviation, > 0.
    """

    dim: int
    std: float = 1.0

    def __post_init__(self) -> None:
        checks.count("dim", self.dim)
        checks.positive("std", self.std)

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw n independent codes (see `Prior`)."""
        checks.count("n", n, 0)
        return self.std * torch.randn(n, self.dim, generator=generator, device=device, dtype=dtype)


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution on the cube [low, high)^dim.

    Args:
        dim: number of coordinates, ≥ 1.
        low: lower bound.
        high: upper bound, > low.
    """

    dim: int
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        checks.count("dim", self.dim)
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"low and high must be finite with low < high; got {self.low!r} and {self.high!r}")

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw n independent codes (see `Prior`)."""
        checks.count("n", n, 0)
        unit = torch.rand(n, self.dim, generator=generator, device=device, dtype=dtype)
        return self.low + (self.high - self.low) * unit


@dataclass(frozen=True)
class Beta:
    """Independent coordinates in [0, 1] from Beta(a, a), density ∝ (x(1 − x))^(a−1), nearly binary for a small a.

    Args:
        dim: number of coordinates, ≥ 1.
        concentration: a, > 0; 1 is uniform.

    Source: Zamorski et al. 2018, "Adversarial Autoencoders for Compact Representations of 3D Point Clouds" (a = 0.01).
    """

    dim: int
    concentration: float = 0.01

    def __post_init__(self) -> None:
        checks.count("dim", self.dim)
        checks.positive("concentration", self.concentration)

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw n independent codes (see `Prior`)."""
        checks.count("n", n, 0)
        # X = G/(G + H) for G, H from Gamma(a), which underflow for a small a. Logarithms do not: G = G'·U^(1/a) for G'
        # from Gamma(a + 1) and U uniform (Marsaglia & Tsang 2000, section 6).
        shape = torch.full((2, n, self.dim), self.concentration + 1, device=device, dtype=dtype)
        exponential = torch.empty_like(shape).exponential_(generator=generator)  # −log U
        log = torch._standard_gamma(shape, generator=generator).log() - exponential / self.concentration
        return torch.sigmoid(log[0] - log[1])


@dataclass(frozen=True)
class Bernoulli:
    """Independent binary coordinates, 1 with probability p.

    Args:
        dim: number of coordinates, ≥ 1.
        probability: p in (0, 1).

    Source: Zamorski et al. 2018, "Adversarial Autoencoders for Compact Representations of 3D Point Clouds".
    """

    dim: int
    probability: float = 0.5

    def __post_init__(self) -> None:
        checks.count("dim", self.dim)
        checks.positive("probability", checks.fraction("probability", self.probability))

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw n independent codes (see `Prior`)."""
        checks.count("n", n, 0)
        unit = torch.rand(n, self.dim, generator=generator, device=device, dtype=dtype)
        return (unit < self.probability).to(unit.dtype)


@dataclass(frozen=True)
class Categorical:
    """One-hot vectors e_k, k uniform over the classes.

    Args:
        dim: number of classes, ≥ 1.
    """

    dim: int

    def __post_init__(self) -> None:
        checks.count("dim", self.dim)

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw n independent codes (see `Prior`)."""
        checks.count("n", n, 0)
        label = torch.randint(self.dim, (n,), generator=generator, device=device)
        return torch.nn.functional.one_hot(label, self.dim).to(dtype or torch.get_default_dtype())


@dataclass(frozen=True)
class Product:
    """Product of independent priors, whose coordinates are concatenated.

    Args:
        parts: one or more priors.
    """

    parts: tuple[Prior, ...]

    @property
    def dim(self) -> int:
        """Number of coordinates of a code."""
        return sum(part.dim for part in self.parts)

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw n independent codes (see `Prior`)."""
        parts = [part.sample(n, generator=generator, device=device, dtype=dtype) for part in self.parts]
        return torch.cat(parts, dim=1)


class _LabeledPrior2D:
    """Base class of 2-D mixtures with one component for each class."""

    @property
    def dim(self) -> int:
        """Number of coordinates of a code."""
        return 2

    def sample_conditional(
        self, label: Tensor, *, generator: Generator = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw a code for each label (see `LabeledPrior`)."""
        raise NotImplementedError

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw n independent codes (see `Prior`)."""
        checks.count("n", n, 0)
        return self.sample_conditional(torch.full((n,), UNLABELED, device=device), generator=generator, dtype=dtype)


@dataclass(frozen=True)
class GaussianMixture2D(_LabeledPrior2D):
    """Equal mixture of 2-D Gaussians on a circle, elongated along its radius.

    Component k has mean radius·u(θ_k), θ_k = 2πk/components, standard deviation `along` in the direction u(θ_k) and
    `across` orthogonal to it.

    Args:
        components: number of Gaussians, ≥ 1.
        radius: distance of their means from the origin, ≥ 0.
        along: radial standard deviation, > 0.
        across: tangential standard deviation, > 0.

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 2.3 (a mixture of ten 2-D Gaussians).
    """

    components: int = 10
    radius: float = 2.0
    along: float = 0.5
    across: float = 0.1

    @property
    def num_classes(self) -> int:
        """Number of components."""
        return self.components

    def __post_init__(self) -> None:
        checks.count("components", self.components)
        checks.non_negative("radius", self.radius)
        checks.positive("along", self.along)
        checks.positive("across", self.across)

    def sample_conditional(
        self, label: Tensor, *, generator: Generator = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw a code of component k for each label k (see `LabeledPrior`)."""
        component = torch.randint(self.components, label.shape, generator=generator, device=label.device)
        component = torch.where(label < 0, component, label)
        noise = torch.randn(len(label), 2, generator=generator, device=label.device, dtype=dtype)
        angle = component.to(noise.dtype) * (2 * math.pi / self.components)
        u, v = self.radius + self.along * noise[:, 0], self.across * noise[:, 1]  # radial, tangential
        return torch.stack([u * angle.cos() - v * angle.sin(), u * angle.sin() + v * angle.cos()], dim=1)


@dataclass(frozen=True)
class SwissRoll(_LabeledPrior2D):
    """2-D swiss roll: r·(cos t, sin t), r = radius·t/t_max, plus Gaussian noise.

    t = t_max·√u for u uniform on [0, 1), t_max = 2π·turns, so that the density along the spiral is about constant.

    Args:
        turns: number of turns, > 0.
        radius: distance of the outermost point from the origin, > 0.
        noise: standard deviation of the noise of each coordinate, ≥ 0.
        num_classes: number of segments of equal probability, one for each label from the inside out, ≥ 1.

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 2.3.
    """

    turns: float = 2.0
    radius: float = 3.0
    noise: float = 0.05
    num_classes: int = 10

    def __post_init__(self) -> None:
        checks.positive("turns", self.turns)
        checks.positive("radius", self.radius)
        checks.non_negative("noise", self.noise)
        checks.count("num_classes", self.num_classes)

    def sample_conditional(
        self, label: Tensor, *, generator: Generator = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw a code of segment k for each label k (see `LabeledPrior`)."""
        u = torch.rand(len(label), 1, generator=generator, device=label.device, dtype=dtype)
        u_of_segment = (label[:, None].to(u.dtype) + u) / self.num_classes
        fraction = torch.where(label[:, None] < 0, u, u_of_segment).sqrt()
        angle = 2 * math.pi * self.turns * fraction
        noise = torch.randn(len(label), 2, generator=generator, device=label.device, dtype=dtype)
        return self.radius * fraction * torch.cat([angle.cos(), angle.sin()], dim=1) + self.noise * noise


PRIORS: dict[str, Callable[[int, float], Prior]] = {
    "normal": lambda dim, scale: Normal(dim, scale),
    "uniform": lambda dim, scale: Uniform(dim, -math.sqrt(3) * scale, math.sqrt(3) * scale),
    "mixture": lambda dim, scale: GaussianMixture2D(radius=2 * scale, along=0.5 * scale, across=0.1 * scale),
    "swiss-roll": lambda dim, scale: SwissRoll(radius=3 * scale, noise=0.05 * scale),
}


def prior(name: str, dim: int, scale: float = 1.0) -> Prior:
    """Build a prior by name.

    Args:
        name: "normal", "uniform" (of the variance of the normal), "mixture" or "swiss-roll" (both for dim = 2).
        dim: number of coordinates of a code, ≥ 1.
        scale: scale factor, > 0: the standard deviation of a coordinate for "normal" and "uniform".

    Returns:
        Prior of `dim` dimensions.

    Raises:
        TypeError, ValueError: for another name, for dim or scale out of range, or a 2-D prior with dim ≠ 2.
    """
    checks.choice("prior", name, tuple(PRIORS))
    checks.count("latent_dim", dim)
    distribution = PRIORS[name](dim, checks.positive("sigma", scale))
    fixed_dim = distribution.dim
    if fixed_dim != dim:
        raise ValueError(f"prior {name!r} has {fixed_dim} dimensions and needs latent_dim = {fixed_dim}; got {dim}")
    return distribution
