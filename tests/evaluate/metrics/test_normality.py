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


def test_under_the_null_p_values_are_uniform():
    values = [
        epps_pulley_p_value(torch.randn(30, 2, generator=seeded(i)), simulations=19, generator=seeded(1000 + i))
        for i in range(100)
    ]
    counts = np.bincount((20 * np.array(values)).round().astype(int), minlength=21)[1:]
    assert stats.chisquare(counts.reshape(5, 4).sum(1)).pvalue > 1e-3


@pytest.mark.parametrize("change", [lambda x: x + 1, lambda x: 2 * x, lambda x: x.sign()])
def test_what_is_not_normal_has_the_smallest_p_value_there_is(change):
    x = change(torch.randn(200, 3, generator=seeded(0)))
    assert epps_pulley_p_value(x, simulations=99, generator=seeded(1)) == 1 / 100


def test_the_p_value_is_the_rank_of_the_statistic():
    x = torch.randn(40, 2, generator=seeded(3))
    generator = seeded(5)
    theta = torch.nn.functional.normalize(torch.randn(normality.PROJECTIONS, 2, generator=generator), dim=1).T
    null = [epps_pulley(torch.randn(40, 2, generator=generator), projections=theta) for _ in range(9)]
    larger = sum(value >= epps_pulley(x, projections=theta) for value in null)
    assert epps_pulley_p_value(x, simulations=9, generator=seeded(5)) == pytest.approx((1 + int(larger)) / 10)


def test_every_loss_sees_codes_that_are_not_the_prior(untrained):
    untrained.codes = 2 * untrained.prior[0] + 1
    numbers = [*normality.mmd(untrained), *normality.losses(untrained)]
    ours, floor = ([n.value for n in numbers if mark(n)] for mark in (lambda n: n.ours, lambda n: "floor" in n.of))
    assert len(ours) == len(floor) == 10
    assert all(x > y for x, y in zip(ours, floor, strict=True))


def test_the_numbers_are_the_losses(untrained):
    fresh, _ = untrained.prior
    (mmd, *_), losses = normality.mmd(untrained), normality.losses(untrained)
    assert mmd.value == float(mmd_imq(untrained.codes, fresh))
    frechet = next(number for number in losses if number.group.startswith("Fréchet"))
    assert frechet.value == float(frechet_distance(untrained.codes, fresh))


def test_codes_of_a_wider_prior_are_tested_against_it(untrained, monkeypatch):
    monkeypatch.setattr(normality, "SIMULATIONS", 99)
    untrained.model.prior = Normal(8, std=3.0)
    untrained.codes = 3 * torch.randn(450, 8, generator=seeded(1))
    ours, drawn = (number.value for number in normality.p_value(untrained))
    assert min(ours, drawn) > 0.02


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"x must have shape \(n, d\); got shape \(2, 3, 4\)"):
        epps_pulley_p_value(torch.zeros(2, 3, 4), simulations=9)
    with pytest.raises(ValueError, match="simulations must be an integer >= 1; got 0"):
        epps_pulley_p_value(torch.zeros(3, 4), simulations=0)
