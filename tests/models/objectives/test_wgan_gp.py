"""Wasserstein critic loss and gradient penalty."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fastlatent.models import wasserstein_critic_loss
from fastlatent.models.objectives.wgan_gp import gradient_penalty
from tests.models.by_hand import linear_form


@given(st.floats(0.1, 5), st.integers(1, 4))
def test_gradient_penalty_of_a_linear_critic(slope, dim):
    real, fake = torch.zeros(3, dim), torch.ones(3, dim)
    critic = linear_form(slope, *[0.0] * (dim - 1))
    assert gradient_penalty(critic, real, fake).item() == pytest.approx((slope - 1) ** 2, rel=1e-4, abs=1e-5)


def test_gradient_penalty_at_interpolations_under_no_grad():
    def critic(z):  # D(z) = z²/2, slope z
        return z.square().sum(1) / 2

    real, fake = torch.full((2000, 1), 2.0), torch.full((2000, 1), 1.0)
    with torch.no_grad():
        penalty = gradient_penalty(critic, real, fake)
    assert penalty.item() == pytest.approx(1 / 3, abs=5 * 0.3 / math.sqrt(2000))  # E ε², of standard deviation 0.3


def test_loss_of_a_1_lipschitz_critic_is_minus_the_distance():
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [4.0]])
    assert wasserstein_critic_loss(linear_form(-1.0), real, fake).item() == pytest.approx(-3)


def test_gradient_penalty_has_no_gradient_to_the_generator():
    generator = nn.Linear(2, 2)
    critic = nn.Sequential(nn.Linear(2, 4), nn.SiLU(), nn.Linear(4, 1), nn.Flatten(0))
    gradient_penalty(critic, torch.randn(5, 2), generator(torch.randn(5, 2))).backward()
    assert generator.weight.grad is None
    assert critic[0].weight.grad.abs().sum() > 0
