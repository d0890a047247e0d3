"""Float64 truth of the pairwise losses, in NumPy and SciPy: value, gradients, scales of rounding errors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import hyp1f1

Array = NDArray[np.float64]
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Profile:
    """Function φ and its derivative, of s = ‖a−b‖², or of ⟨a, b⟩ if `inner`."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    inner: bool = False

    def relative_curvature(self, s: Array, slope: Array) -> Array:
        """Return s·φ''(s) by a finite difference from φ'(s) = `slope`: the effect of a relative error of s on φ'(s)."""
        h = 1e-6
        return (self.slope(s * (1 + h)) - slope) / h


@dataclass
class Truth:
    """Value and gradients of a loss, and the scales of their rounding errors.

    The scales are the same sums over |φ| + |s·φ'| and |φ'| + |s·φ''|: all terms positive, and s rounded, too.
    """

    value: float
    gradients: tuple[Array, ...]
    terms: float
    gradient_terms: tuple[Array, ...]


def imq(d: int, scales: tuple[float, ...] = SCALES, sigma: float = 1.0) -> Profile:
    c = np.array(scales) * 2 * d * sigma**2
    return Profile(lambda s: sum(k / (k + s) for k in c), lambda s: -sum(k / (k + s) ** 2 for k in c))


def gaussian(bandwidths: tuple[float, ...] = (1.0,)) -> Profile:
    rates = [-1 / (2 * b * b) for b in bandwidths]
    return Profile(lambda s: sum(np.exp(r * s) for r in rates), lambda s: sum(r * np.exp(r * s) for r in rates))


def laplace(bandwidths: tuple[float, ...] = (1.0,)) -> Profile:
    def slope(s: Array) -> Array:
        r = np.where(s > 0, np.sqrt(s), np.inf)
        return sum(np.exp(-r / b) / (-2 * b * r) for b in bandwidths)

    return Profile(lambda s: sum(np.exp(-np.sqrt(s) / b) for b in bandwidths), slope)


def rational_quadratic(alphas: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0)) -> Profile:
    return Profile(
        lambda s: sum((1 + s / (2 * a)) ** -a for a in alphas),
        lambda s: -sum((1 + s / (2 * a)) ** (-a - 1) for a in alphas) / 2,
    )


def energy() -> Profile:
    return Profile(lambda s: -np.sqrt(s), lambda s: -0.5 / np.where(s > 0, np.sqrt(s), np.inf))


def polynomial(d: int, degree: int = 3, gamma: float | None = None, offset: float = 1.0) -> Profile:
    g = gamma or 1 / d
    return Profile(
        lambda p: (g * p + offset) ** degree, lambda p: degree * g * (g * p + offset) ** (degree - 1), inner=True
    )


def radial_average(d: int, rate: float) -> Profile:
    """Return Cramér–Wold's φ_d(rate·s): Kummer's function for d < 20, its asymptotic approximation for d ≥ 20."""
    if d >= 20:
        k = 4 * rate / (2 * d - 3)
        return Profile(lambda s: (1 + k * s) ** -0.5, lambda s: -k / 2 * (1 + k * s) ** -1.5)
    return Profile(lambda s: hyp1f1(0.5, d / 2, -rate * s), lambda s: -rate / d * hyp1f1(1.5, d / 2 + 1, -rate * s))


def dot(a: Array, b: Array) -> Array:
    """Return the matrix product a·b in float64, by torch, whose number of threads the tests limit."""
    return (torch.from_numpy(a) @ torch.from_numpy(b)).numpy()


def pairwise_sum(
    x: Array, y: Array, profile: Profile, weights: tuple[float, float, float], diagonal: bool, constant: float = 0.0
) -> Truth:
    """Return w_xx Σ φ(xᵢ, xⱼ) + w_xy Σ φ(xᵢ, yⱼ) + w_yy Σ φ(yᵢ, yⱼ) + constant; pairs i = j only with `diagonal`."""
    if not profile.inner:
        origin = np.concatenate([x, y]).mean(0)
        x, y = x - origin, y - origin
    truth = Truth(constant, (np.zeros_like(x), np.zeros_like(y)), abs(constant), (np.zeros_like(x), np.zeros_like(y)))
    for weight, i, j in zip(weights, (0, 0, 1), (0, 1, 1), strict=True):
        if weight:
            _add(truth, weight, profile, (x, y), i, j, diagonal)
    return truth


def _add(
    truth: Truth, weight: float, profile: Profile, clouds: tuple[Array, Array], i: int, j: int, diagonal: bool
) -> None:
    a, b = clouds[i], clouds[j]
    s = dot(a, b.T) if profile.inner else cdist(a, b, "sqeuclidean")
    mask = np.ones_like(s) if diagonal or i != j else 1 - np.eye(len(a))
    value, slope = profile.value(s), profile.slope(s)
    w = weight * mask * slope
    truth.value += (weight * mask * value).sum()
    truth.terms += (abs(weight) * mask * (np.abs(value) + np.abs(s * slope))).sum()
    slopes = abs(weight) * mask * (np.abs(slope) + np.abs(profile.relative_curvature(s, slope)))
    for k, points, others, weights, scales in ((i, a, b, w, slopes), (j, b, a, w.T, slopes.T)):
        if profile.inner:
            truth.gradients[k][:] += dot(weights, others)
            truth.gradient_terms[k][:] += dot(scales, np.abs(others))
        else:
            truth.gradients[k][:] += 2 * (weights.sum(1, keepdims=True) * points - dot(weights, others))
            truth.gradient_terms[k][:] += 2 * (scales.sum(1, keepdims=True) * np.abs(points))
            truth.gradient_terms[k][:] += 2 * dot(scales, np.abs(others))


def mmd(x: Array, y: Array, profile: Profile, estimator: str = "unbiased") -> Truth:
    """Return the squared MMD: means within samples off the diagonal ("unbiased"), or over all pairs ("biased")."""
    n, m = len(x), len(y)
    if estimator == "biased":
        return pairwise_sum(x, y, profile, (1 / n**2, -2 / (n * m), 1 / m**2), diagonal=True)
    return pairwise_sum(x, y, profile, (1 / (n * (n - 1)), -2 / (n * m), 1 / (m * (m - 1))), diagonal=False)


def silverman(n: int) -> float:
    return (4 / (3 * n)) ** 0.4


def cramer_wold(x: Array, y: Array, gamma: float | None = None) -> Truth:
    """Return the squared Cramér–Wold distance (Knop et al. 2020, theorem 3.1)."""
    (n, d), m = x.shape, len(y)
    gamma = gamma or silverman(n)
    factor = 1 / (2 * np.sqrt(np.pi * gamma))
    weights = (factor / n**2, -2 * factor / (n * m), factor / m**2)
    return pairwise_sum(x, y, radial_average(d, 1 / (4 * gamma)), weights, diagonal=True)


def cramer_wold_normal(x: Array, gamma: float | None = None) -> Truth:
    """Return the squared Cramér–Wold distance to N(0, I) (Knop et al. 2020, theorem 3.2)."""
    n, d = x.shape
    gamma = gamma or silverman(n)
    factor, origin = 1 / (2 * np.sqrt(np.pi)), np.zeros((1, d))
    weights = (factor / (n**2 * np.sqrt(gamma)), 0.0, 0.0)
    within = pairwise_sum(x, origin, radial_average(d, 1 / (4 * gamma)), weights, diagonal=True)
    weights = (0.0, -2 * factor / (n * np.sqrt(gamma + 0.5)), 0.0)
    constant = factor / np.sqrt(1 + gamma)
    across = pairwise_sum(x, origin, radial_average(d, 1 / (2 + 4 * gamma)), weights, diagonal=True, constant=constant)
    return Truth(
        within.value + across.value,
        (within.gradients[0] + across.gradients[0],),
        within.terms + across.terms,
        (within.gradient_terms[0] + across.gradient_terms[0],),
    )


def nearest(x: Array, y: Array) -> tuple[NDArray[np.int64], Array]:
    """Return for each x the index of its nearest y, the lowest one of ties, and the squared distance."""
    s = cdist(x, y, "sqeuclidean")
    return s.argmin(1), s.min(1)


def chamfer_distance(x: Array, y: Array) -> Truth:
    """Return the sum of the mean squared distances to the nearest neighbor, from x to y and from y to x."""
    gradients = (np.zeros_like(x), np.zeros_like(y))
    terms = (np.zeros_like(x), np.zeros_like(y))
    value = 0.0
    for points, others, i, j in ((x, y, 0, 1), (y, x, 1, 0)):
        index, s = nearest(points, others)
        value += s.mean()
        gradient = 2 * (points - others[index]) / len(points)
        gradients[i][:] += gradient
        np.add.at(gradients[j], index, -gradient)
        terms[i][:] += np.abs(gradient)
        np.add.at(terms[j], index, np.abs(gradient))
    return Truth(value, gradients, value, terms)
