"""Losses of generator and discriminator."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from fastlatent.data import Batch
from fastlatent.models import GAN
from fastlatent.models.objectives.adversarial import (
    adversarial_phases,
    discriminator_loss,
    minimax_loss,
    non_saturating_loss,
)
from fastlatent.priors import Normal
from tests.models.by_hand import linear, linear_form

LOG3 = math.log(3)  # sigmoid(log 3) = 3/4


def test_losses_by_hand():
    logits = torch.tensor([0.0, LOG3])  # D = 1/2, 3/4
    assert discriminator_loss(logits, torch.tensor([-LOG3])) == pytest.approx(
        -(math.log(1 / 2) + math.log(3 / 4)) / 2 - math.log(3 / 4)
    )
    assert non_saturating_loss(logits) == pytest.approx(-(math.log(1 / 2) + math.log(3 / 4)) / 2)
    assert minimax_loss(logits) == pytest.approx((math.log(1 / 2) + math.log(1 / 4)) / 2)


def test_losses_are_finite_for_large_logits():
    large = torch.tensor([1e4, -1e4], requires_grad=True)
    for loss in (discriminator_loss(large, large), non_saturating_loss(large), minimax_loss(large)):
        assert loss.isfinite()


REAL, FAKE = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([0, 1, 1, 1, 2])  # samples of three values


def test_optimal_discriminator_loss_is_the_jensen_shannon_divergence():
    p, q = (np.bincount(sample, minlength=3) / 5 for sample in (REAL, FAKE))
    optimal = torch.from_numpy(np.log(p / q))
    assert discriminator_loss(optimal[REAL], optimal[FAKE]) == pytest.approx(math.log(4) - 2 * jensenshannon(p, q) ** 2)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_optimal_discriminator_minimizes_the_loss(logits):
    optimal, other = torch.tensor([LOG3, -LOG3, 0.0]), torch.tensor(logits)
    assert discriminator_loss(optimal[REAL], optimal[FAKE]) <= discriminator_loss(other[REAL], other[FAKE]) + 1e-6


def test_adversarial_phases_by_hand():
    discriminator, generator = linear_form(2.0), linear((1.0,))
    real, fake = torch.tensor([[1.0], [0.0]]), torch.tensor([[-1.0], [0.5]])
    phases = adversarial_phases(
        discriminator, tuple(generator.parameters()), real=lambda b, _: b.x, fake=lambda b, _: generator(fake)
    )
    batch = Batch(real, torch.zeros(2))
    assert [phase.name for phase in phases] == ["discriminator", "generator"]
    torch.testing.assert_close(
        phases[0].loss(batch)["loss"], discriminator_loss(torch.tensor([2.0, 0.0]), torch.tensor([-2.0, 1.0]))
    )
    torch.testing.assert_close(phases[1].loss(batch)["loss"], non_saturating_loss(torch.tensor([-2.0, 1.0])))


@pytest.mark.parametrize("generator_loss", [non_saturating_loss, minimax_loss])
def test_gan_losses_by_hand(generator_loss):
    decoder, discriminator = linear((1.0,), (2.0,)), linear_form(1.0, -1.0)
    model = GAN(decoder, discriminator, Normal(1), generator_loss)
    batch = Batch(torch.tensor([[3.0, 1.0]]), torch.zeros(1))
    z = Normal(1).sample(1, generator=torch.manual_seed(0))
    logit = -z.squeeze(1)  # z − 2z
    for phase, expected in zip(
        model.phases(), [discriminator_loss(torch.tensor([2.0]), logit), generator_loss(logit)], strict=True
    ):
        torch.manual_seed(0)
        torch.testing.assert_close(phase.loss(batch)["loss"], expected)
