"""The Cramér–Wold distance as the mean over directions of a distance between smoothed projections."""

import math

import numpy as np
import pytest
import torch

import fastlatent as fl
from tests.truth.cases import CRAMER_WOLD
from tests.truth.clouds import Clouds


def distance_along(theta, x, density_of_y, gamma):
    """∫ (density of x·θ − density of y·θ)² of the projections, smoothed by N(0, γ), on a fine grid."""
    grid = np.linspace(-12, 12, 4001)
    difference = density(x @ theta, gamma)(grid) - density_of_y(theta)(grid)
    return np.trapezoid(difference**2, grid)


def density(points, gamma):
    def at(grid):
        return np.exp(-((grid[:, None] - points) ** 2) / (2 * gamma)).mean(1) / np.sqrt(2 * np.pi * gamma)

    return at


DIRECTIONS = {
    1: np.ones((1, 1)),
    2: np.stack([np.cos(a := np.arange(64) * np.pi / 64), np.sin(a)], 1),  # periodic: the mean converges exponentially
}


@pytest.mark.parametrize("d", DIRECTIONS)
def test_equals_its_definition_by_projections(d):
    x, y = (z.numpy() for z in Clouds(6, 5, d).draw(torch.float64))
    along = [distance_along(t, x, lambda t: density(y @ t, 0.4), 0.4) for t in DIRECTIONS[d]]
    assert fl.cramer_wold(*map(torch.from_numpy, (x, y)), gamma=0.4).item() == pytest.approx(np.mean(along), rel=1e-8)


@pytest.mark.parametrize("d", DIRECTIONS)
def test_distance_to_the_normal_equals_its_definition(d):
    x = Clouds(6, 5, d).draw(torch.float64)[0].numpy()
    normal = density(np.zeros(1), 1 + 0.4)  # N(0, 1), smoothed
    along = [distance_along(t, x, lambda t: normal, 0.4) for t in DIRECTIONS[d]]
    assert fl.cramer_wold_normal(torch.from_numpy(x), gamma=0.4).item() == pytest.approx(np.mean(along), rel=1e-8)


@pytest.mark.parametrize("d", [*range(1, 26), 100, 500])
def test_exact_in_every_dimension(d):
    x, y = Clouds(20, 15, d, duplicates=True).draw(torch.float64)
    for case in CRAMER_WOLD:
        exact = case.exact(x, y)
        assert abs(case(x, y).item() - exact.value) < 2e-14 * exact.terms


@pytest.mark.parametrize("d", [1, 4, 19])  # the paper's approximation for d ≥ 20 has no such limit
def test_distance_to_normal_samples_converges_to_the_closed_form(d, generator):
    """The mean over samples of size m exceeds the closed form by O(1/m)."""
    x = 1.5 * torch.randn(20, d, dtype=torch.float64, generator=generator) + 0.3
    exact = fl.cramer_wold_normal(x, gamma=0.2)
    excess = []
    for m in (50, 800):
        y = torch.randn(60, m, d, dtype=torch.float64, generator=generator)
        excess.append(fl.cramer_wold(x.expand(60, 20, d), y, gamma=0.2).mean() - exact)
    few, many = excess
    assert 0 < many < few / 8
    assert many < 0.1 * exact


@pytest.mark.parametrize("case", CRAMER_WOLD, ids=str)
def test_nonnegative(case):
    for seed in range(20):
        inputs = Clouds(4, 3, 3, scale=0.1).draw(torch.float64, seed)[: case.samples]
        assert case(*inputs) > -1e-15


def test_default_gamma_is_silvermans_rule():
    x, y = Clouds(30, 20, 3).draw(torch.float64)
    assert fl.cramer_wold(x, y) == fl.cramer_wold(x, y, gamma=(4 / (3 * 30)) ** (2 / 5))
    assert fl.cramer_wold_normal(x) == fl.cramer_wold_normal(x, gamma=(4 / (3 * 30)) ** (2 / 5))


def test_one_point_at_the_origin_in_closed_form():
    """1/(2√π)·(1/√γ + 1/√(1+γ) − 2/√(γ+1/2)), in every dimension."""
    gamma = 0.3
    value = (gamma**-0.5 + (1 + gamma) ** -0.5 - 2 * (gamma + 0.5) ** -0.5) / (2 * math.sqrt(math.pi))
    for d in (1, 2, 19, 20, 64):
        loss = fl.cramer_wold_normal(torch.zeros(1, d, dtype=torch.float64), gamma=gamma)
        assert loss.item() == pytest.approx(value, rel=1e-13)
