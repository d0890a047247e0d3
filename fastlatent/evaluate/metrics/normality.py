"""Distances between codes and prior by every loss, and a test of normality."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ...data.dataset import evenly_spaced_rows
from ...losses.cramer_wold import cramer_wold
from ...losses.directions import random_directions
from ...losses.epps_pulley import epps_pulley
from ...losses.frechet import frechet_distance
from ...losses.mmd import energy_distance, mmd_imq, mmd_laplace, mmd_rational_quadratic, mmd_rbf, polynomial_mmd
from ...losses.sliced import max_sliced_wasserstein, sliced_wasserstein
from ...priors import Normal
from ...utils import checks
from ..evaluated_model import EvaluatedModel
from .result import MetricResult

MAX_TESTED_CODES, SIMULATIONS = 1000, 999  # codes in the test of normality, and simulated samples of the null
PROJECTIONS = 128

IMQ = "MMD (IMQ, unbiased) between test codes and prior"
CODES, FLOOR = "codes of this model", "prior vs prior (floor)"
P_VALUE = "p-value of the Epps–Pulley test of {:,} codes against the prior, {:,} simulations"

Distance = Callable[..., Tensor]
LOSSES: dict[str, Distance] = {
    "MMD (Gaussian kernel, median bandwidth, unbiased)": partial(mmd_rbf, bandwidths="median"),
    "MMD (Laplace kernel, unbiased)": mmd_laplace,
    "MMD (rational quadratic kernel, unbiased)": mmd_rational_quadratic,
    "MMD (cubic kernel, unbiased)": polynomial_mmd,
    "Energy distance (unbiased)": energy_distance,
    "Cramér–Wold distance": cramer_wold,
    "Fréchet distance": frechet_distance,
}
SLICED: dict[str, Distance] = {
    f"Sliced Wasserstein distance ({PROJECTIONS} directions)": partial(sliced_wasserstein, n_projections=PROJECTIONS),
    f"Max-sliced Wasserstein distance ({PROJECTIONS} starts)": partial(
        max_sliced_wasserstein, n_projections=PROJECTIONS
    ),
}


def mmd(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the MMD between codes and prior, between two prior samples, and between shifted and unshifted prior."""
    first, second = evaluated.prior_samples
    return [
        MetricResult(IMQ, CODES, float(mmd_imq(evaluated.codes, first)), is_model=True),
        MetricResult(IMQ, FLOOR, float(mmd_imq(second, first))),
        MetricResult(IMQ, "prior shifted by one in each coordinate", float(mmd_imq(second + 1, first))),
    ]


def losses(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute every other loss of the package between codes and prior, and between two prior samples."""
    first, second = evaluated.prior_samples
    seeded = {name: partial(distance, generator=evaluated.generator()) for name, distance in SLICED.items()}
    distances: dict[str, Distance] = {**LOSSES, **seeded}
    results = []
    for name, distance in distances.items():
        group = f"{name} between test codes and prior"
        results += [
            MetricResult(group, CODES, float(distance(evaluated.codes, first)), is_model=True),
            MetricResult(group, FLOOR, float(distance(second, first))),
        ]
    return results


def p_value(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the p-value of the test of normality of codes, and of a sample of the prior.

    Raises:
        TypeError: if the prior is not an isotropic Gaussian.
    """
    prior = evaluated.model.prior
    if not isinstance(prior, Normal):
        raise TypeError(f"the test needs a Gaussian prior; got {prior}")
    count = min(MAX_TESTED_CODES, len(evaluated.codes))
    rows = evenly_spaced_rows(len(evaluated.codes), count)
    group = P_VALUE.format(count, SIMULATIONS)
    p_codes, p_prior = (
        epps_pulley_p_value(z[rows] / prior.std, simulations=SIMULATIONS, generator=evaluated.generator())
        for z in (evaluated.codes, evaluated.prior_samples[0])
    )
    return [
        MetricResult(group, CODES, p_codes, is_model=True, higher_is_better=True),
        MetricResult(group, "sample of the prior", p_prior, higher_is_better=True),
    ]


@torch.no_grad()
def epps_pulley_p_value(x: Tensor, *, simulations: int, generator: torch.Generator | None = None) -> float:
    """Compute the p-value of the Monte Carlo test of x ~ N(0, I) with the sliced Epps–Pulley statistic T.

    p = (1 + #{b: T(x_b) ≥ T(x)})/(B + 1), with samples x_b of N(0, I) of the size of x and the same random directions
    for all. Under the null hypothesis p is uniform on its B + 1 values.

    Args:
        x: sample (n, d).
        simulations: B, ≥ 1.
        generator: random number generator of the directions and the samples.

    Raises:
        TypeError, ValueError: for another shape, or if simulations is not an integer ≥ 1.

    Source: `fastlatent.epps_pulley`; Davison & Hinkley 1997, "Bootstrap methods and their application", section 4.2.
    """
    checks.sample("x", x)
    checks.count("simulations", simulations)
    if x.dim() != 2:
        raise ValueError(f"x must have shape (n, d); got shape {tuple(x.shape)}")
    directions = random_directions(x.shape[1], PROJECTIONS, generator=generator, dtype=x.dtype, device=x.device)
    observed = epps_pulley(x, projections=directions)
    num_exceeding = 0
    for _ in range(simulations):
        null = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        num_exceeding += int(epps_pulley(null, projections=directions) >= observed)
    return (1 + num_exceeding) / (1 + simulations)
