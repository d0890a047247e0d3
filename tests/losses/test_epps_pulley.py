"""Properties of the sliced Epps–Pulley statistic, on every CPU backend."""

import numpy as np
import pytest
import torch

from fastlatent import epps_pulley
from fastlatent.losses.directions import random_directions

pytestmark = pytest.mark.usefixtures("backend", "seed")


@pytest.mark.parametrize(("n_points", "t_max"), [(2, 1.0), (3, 2.0), (17, 3.0), (16, 4.0)])
def test_equals_the_trapezoid_rule_of_its_definition(n_points: int, t_max: float) -> None:
    x, theta = torch.randn(11, 3, dtype=torch.float64), random_directions(3, 4, dtype=torch.float64)
    t = np.linspace(-t_max, t_max, n_points)
    empirical = np.exp(1j * t * (x @ theta).numpy()[..., None]).mean(0)
    normal = np.exp(-t * t / 2)
    expected = 11 * np.trapezoid(np.abs(empirical - normal) ** 2 * normal, t).mean()
    value = epps_pulley(x, n_points=n_points, t_max=t_max, projections=theta)
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_larger_for_a_uniform_than_for_a_normal_sample() -> None:
    normal, uniform = torch.randn(2000, 2), (torch.rand(2000, 2) - 0.5) * 12**0.5
    axes = torch.eye(2)  # of equal mean and variance: only the shape differs
    assert epps_pulley(uniform, projections=axes) > 10 * epps_pulley(normal, projections=axes)


def test_invariant_to_the_sign_of_directions() -> None:
    x, theta = torch.randn(30, 3, dtype=torch.float64), random_directions(3, 5, dtype=torch.float64)
    torch.testing.assert_close(epps_pulley(x, projections=theta), epps_pulley(x, projections=-theta))


def test_batch_equals_separate_calls() -> None:
    x, theta = torch.randn(2, 3, 8, 2), random_directions(2, 4)
    value = epps_pulley(x, projections=theta)
    assert value.shape == (2, 3)
    torch.testing.assert_close(value[1, 2], epps_pulley(x[1, 2], projections=theta))


def test_first_and_second_derivatives() -> None:
    x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    theta = random_directions(2, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: epps_pulley(x, projections=theta), x)
    assert torch.autograd.gradgradcheck(lambda x: epps_pulley(x, projections=theta), x)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_points": 1}, "n_points must be an integer >= 2"), ({"t_max": 0.0}, "t_max must be .* > 0")],
)
def test_invalid_options_raise(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        epps_pulley(torch.randn(6, 3), **options)
