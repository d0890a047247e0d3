import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from fastlatent.data import Batch
from fastlatent.models import GAN
from fastlatent.models.objectives.adversarial import critic_loss, game, minimax_loss, non_saturating_loss
from fastlatent.priors import Normal
from tests.models.by_hand import linear, number

LOG3 = math.log(3)  # sigmoid(log 3) = 3/4


def test_losses_by_hand():
    answers = torch.tensor([0.0, LOG3])  # D = 1/2, 3/4
    assert critic_loss(answers, torch.tensor([-LOG3])) == pytest.approx(
        -(math.log(1 / 2) + math.log(3 / 4)) / 2 - math.log(3 / 4)
    )
    assert non_saturating_loss(answers) == pytest.approx(-(math.log(1 / 2) + math.log(3 / 4)) / 2)
    assert minimax_loss(answers) == pytest.approx((math.log(1 / 2) + math.log(1 / 4)) / 2)


def test_losses_are_finite_for_a_critic_that_is_sure():
    sure = torch.tensor([1e4, -1e4], requires_grad=True)
    for loss in (critic_loss(sure, sure), non_saturating_loss(sure), minimax_loss(sure)):
        assert loss.isfinite()


REAL, MADE = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([0, 1, 1, 1, 2])  # samples of three values


def test_the_best_critic_measures_the_jensen_shannon_divergence():
    p, q = (np.bincount(sample, minlength=3) / 5 for sample in (REAL, MADE))
    best = torch.from_numpy(np.log(p / q))
    assert critic_loss(best[REAL], best[MADE]) == pytest.approx(math.log(4) - 2 * jensenshannon(p, q) ** 2)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_no_critic_does_better(logits):
    best, other = torch.tensor([LOG3, -LOG3, 0.0]), torch.tensor(logits)
    assert critic_loss(best[REAL], best[MADE]) <= critic_loss(other[REAL], other[MADE]) + 1e-6


def test_a_game_has_a_phase_for_each_side():
    critic, maker = number(2.0), linear((1.0,))
    real, made = torch.tensor([[1.0], [0.0]]), torch.tensor([[-1.0], [0.5]])
    judge, deceive = game(critic, tuple(maker.parameters()), real=lambda b, _: b.x, made=lambda b, _: maker(made))
    batch = Batch(real, torch.zeros(2))
    assert (judge.name, deceive.name) == ("critic", "deceive")
    torch.testing.assert_close(
        judge.loss(batch)["loss"], critic_loss(torch.tensor([2.0, 0.0]), torch.tensor([-2.0, 1.0]))
    )
    torch.testing.assert_close(deceive.loss(batch)["loss"], non_saturating_loss(torch.tensor([-2.0, 1.0])))


@pytest.mark.parametrize("maker_loss", [non_saturating_loss, minimax_loss])
def test_gan_plays_with_data_and_decoded_draws(maker_loss):
    decoder, critic = linear((1.0,), (2.0,)), number(1.0, -1.0)
    model = GAN(decoder, critic, Normal(1), maker_loss)
    batch = Batch(torch.tensor([[3.0, 1.0]]), torch.zeros(1))
    z = Normal(1).sample(1, generator=torch.manual_seed(0))
    answer = -z.squeeze(1)  # z − 2z
    for phase, expected in zip(
        model.phases(), [critic_loss(torch.tensor([2.0]), answer), maker_loss(answer)], strict=True
    ):
        torch.manual_seed(0)
        torch.testing.assert_close(phase.loss(batch)["loss"], expected)
