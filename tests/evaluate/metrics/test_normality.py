"""Distances of codes to the prior, and p-values."""

import numpy as np
import pytest
import torch
from scipy import stats

from fastlatent import epps_pulley, frechet_distance, mmd_imq
from fastlatent.evaluate.metrics import normality
from fastlatent.evaluate.metrics.normality import epps_pulley_p_value
from fastlatent.priors import Normal


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_p_values_are_uniform_under_the_null():
    values = [
        epps_pulley_p_value(torch.randn(30, 2, generator=seeded(i)), simulations=19, generator=seeded(1000 + i))
        for i in range(100)
    ]
    counts = np.bincount((20 * np.array(values)).round().astype(int), minlength=21)[1:]
    assert stats.chisquare(counts.reshape(5, 4).sum(1)).pvalue > 1e-3


@pytest.mark.parametrize("change", [lambda x: x + 1, lambda x: 2 * x, lambda x: x.sign()])
def test_other_distributions_have_the_minimal_p_value(change):
    x = change(torch.randn(200, 3, generator=seeded(0)))
    assert epps_pulley_p_value(x, simulations=99, generator=seeded(1)) == 1 / 100


def test_p_value_is_the_rank_of_the_statistic():
    x = torch.randn(40, 2, generator=seeded(3))
    generator = seeded(5)
    theta = torch.nn.functional.normalize(torch.randn(normality.PROJECTIONS, 2, generator=generator), dim=1).T
    null = [epps_pulley(torch.randn(40, 2, generator=generator), projections=theta) for _ in range(9)]
    larger = sum(value >= epps_pulley(x, projections=theta) for value in null)
    assert epps_pulley_p_value(x, simulations=9, generator=seeded(5)) == pytest.approx((1 + int(larger)) / 10)


def test_every_loss_is_larger_for_codes_off_the_prior(untrained):
    untrained.codes = 2 * untrained.prior_samples[0] + 1
    results = [*normality.mmd(untrained), *normality.losses(untrained)]
    model, floor = (
        [r.value for r in results if mark(r)] for mark in (lambda r: r.is_model, lambda r: "floor" in r.label)
    )
    assert len(model) == len(floor) == 10
    assert all(x > y for x, y in zip(model, floor, strict=True))


def test_values_are_those_of_the_losses(untrained):
    prior, _ = untrained.prior_samples
    (mmd, *_), losses = normality.mmd(untrained), normality.losses(untrained)
    assert mmd.value == float(mmd_imq(untrained.codes, prior))
    frechet = next(result for result in losses if result.group.startswith("Fréchet"))
    assert frechet.value == float(frechet_distance(untrained.codes, prior))


def test_p_value_uses_the_prior_s_standard_deviation(untrained, monkeypatch):
    monkeypatch.setattr(normality, "SIMULATIONS", 99)
    untrained.model.prior = Normal(8, std=3.0)
    untrained.codes = 3 * torch.randn(450, 8, generator=seeded(1))
    codes, prior = (result.value for result in normality.p_value(untrained))
    assert min(codes, prior) > 0.02


def test_invalid_input_raises():
    with pytest.raises(ValueError, match=r"x must have shape \(n, d\); got shape \(2, 3, 4\)"):
        epps_pulley_p_value(torch.zeros(2, 3, 4), simulations=9)
    with pytest.raises(ValueError, match="simulations must be an integer >= 1; got 0"):
        epps_pulley_p_value(torch.zeros(3, 4), simulations=0)
