"""How near codes come to their prior: by every loss, and by a test of normality."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

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

TESTED, SIMULATIONS = 1000, 999  # codes in the test of normality, and samples of the null that it draws
PROJECTIONS = 128

LATENT = "MMD (IMQ, unbiased) between test codes and prior"
P_VALUE = "p-value of the Epps–Pulley test of {:,} codes against the prior, by {:,} simulations"

Distance = Callable[..., Tensor]
LOSSES: dict[str, Distance] = {
    "MMD (Gaussian kernel of the median distance, unbiased)": partial(mmd_rbf, bandwidths="median"),
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


def mmd(subject: EvaluatedModel) -> list[MetricResult]:
    """The MMD between codes and prior, beside that of two samples of the prior, and of a shifted one."""
    fresh, other = subject.prior
    return [
        MetricResult(LATENT, "codes of this model", float(mmd_imq(subject.codes, fresh)), ours=True),
        MetricResult(LATENT, "two samples of the prior (floor)", float(mmd_imq(other, fresh))),
        MetricResult(LATENT, "prior shifted by one in each coordinate", float(mmd_imq(other + 1, fresh))),
    ]


def losses(subject: EvaluatedModel) -> list[MetricResult]:
    """Every other loss of the package between codes and prior, beside that of two samples of the prior."""
    fresh, other = subject.prior
    seeded = {name: partial(distance, generator=subject.generator()) for name, distance in SLICED.items()}
    distances: dict[str, Distance] = {**LOSSES, **seeded}
    numbers = []
    for name, distance in distances.items():
        group = f"{name} between test codes and prior"
        numbers += [
            MetricResult(group, "codes of this model", float(distance(subject.codes, fresh)), ours=True),
            MetricResult(group, "two samples of the prior (floor)", float(distance(other, fresh))),
        ]
    return numbers


def p_value(subject: EvaluatedModel) -> list[MetricResult]:
    """p-values of the test of normality, for codes and for a sample of the prior.

    Raises:
        TypeError: if the prior is no isotropic Gaussian.
    """
    if not isinstance(subject.model.prior, Normal):
        raise TypeError(f"the test is of a Gaussian prior; got {subject.model.prior}")
    std = subject.model.prior.std
    count = min(TESTED, len(subject.codes))
    chosen = torch.arange(count) * len(subject.codes) // count
    group = P_VALUE.format(count, SIMULATIONS)
    ours, drawn = (
        epps_pulley_p_value(z[chosen] / std, simulations=SIMULATIONS, generator=subject.generator())
        for z in (subject.codes, subject.prior[0])
    )
    return [
        MetricResult(group, "codes of this model", ours, ours=True, better="larger"),
        MetricResult(group, "a sample of the prior", drawn, better="larger"),
    ]


@torch.no_grad()
def epps_pulley_p_value(x: Tensor, *, simulations: int, generator: torch.Generator | None = None) -> float:
    """How likely a sample of N(0, I) is to lie as far from it as x, by the sliced Epps–Pulley statistic T.

    p = (1 + #{b: T(x_b) ≥ T(x)})/(B + 1), x_b from N(0, I) and as large as x, all along the same random directions.
    Where x is from N(0, I), p is uniform on its B + 1 values.

    Args:
        x: sample (n, d).
        simulations: B, ≥ 1.
        generator: of the directions and the samples.

    Raises:
        TypeError, ValueError: for another shape; if simulations is no integer ≥ 1.

    Source: `fastlatent.epps_pulley`; Davison & Hinkley 1997, "Bootstrap methods and their application", section 4.2.
    """
    checks.sample("x", x)
    checks.count("simulations", simulations)
    if x.dim() != 2:
        raise ValueError(f"x must have shape (n, d); got shape {tuple(x.shape)}")
    directions = random_directions(x.shape[1], PROJECTIONS, generator=generator, dtype=x.dtype, device=x.device)
    found = epps_pulley(x, projections=directions)
    as_far = 0
    for _ in range(simulations):
        null = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        as_far += int(epps_pulley(null, projections=directions) >= found)
    return (1 + as_far) / (1 + simulations)
