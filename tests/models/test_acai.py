import pytest
import torch

from fastlatent.data import Batch
from fastlatent.models import ACAI, Autoencoder, acai
from fastlatent.nn import FrechetDistance
from fastlatent.priors import Normal
from tests.models.by_hand import linear, number

X = torch.tensor([[1.0, 2.0], [5.0, 0.0]])
BATCH = Batch(X, torch.zeros(2, dtype=torch.long))
ALPHA = torch.tensor([[0.5], [0.25]])


@pytest.fixture(autouse=True)
def alpha(monkeypatch):
    monkeypatch.setattr(acai, "_alpha", lambda z, context: ALPHA)


def model(**options):
    """z = x₁, x̂ = (z, 0), d(x) = x₁ + x₂."""
    return ACAI(linear((1.0, 0.0)), linear((1.0,), (0.0,)), number(1.0, 1.0), Normal(1), **options)


# The codes are 1 and 5; x̂_α decodes α·own + (1 − α)·other: 0.5·1 + 0.5·5 = 3 and 0.25·5 + 0.75·1 = 2.


def test_interpolations_by_hand():
    z = torch.tensor([[1.0], [5.0]])
    torch.testing.assert_close(model().interpolate(z, ALPHA), torch.tensor([[3.0, 0.0], [2.0, 0.0]]))


ERROR = (2**2 + 0) / 2
BETRAYED = (3**2 + 2**2) / 2
GUESS = ((3 - 0.5) ** 2 + (2 - 0.25) ** 2) / 2
CALM = ((1 + 0.25 * 2) ** 2 + 5**2) / 2  # of ¼·x + ¾·x̂ = (1, ½) and (5, 0)


def test_losses_by_hand():
    terms = model(strength=2.0, mix=0.25).loss(BATCH)
    assert terms["reconstruction"].item() == pytest.approx(ERROR)
    assert terms["critic"].item() == pytest.approx(BETRAYED)
    assert terms["interpolated"].item() == pytest.approx(GUESS)
    assert terms["near data"].item() == pytest.approx(CALM)
    assert terms["loss"].item() == pytest.approx(ERROR + 2 * BETRAYED + GUESS + CALM)


def gradients(loss, module):
    return torch.autograd.grad(loss, tuple(module.parameters()), retain_graph=True)


def test_the_autoencoder_minimizes_its_error_and_what_betrays_its_interpolations():
    made = model(strength=2.0)
    z = made.encode(X)
    own = Autoencoder.loss(made, BATCH)["loss"] + 2 * made.critic(made.interpolate(z, ALPHA)).square().mean()
    loss = made.loss(BATCH)["loss"]
    for module in (made.encoder, made.decoder):
        torch.testing.assert_close(gradients(loss, module), gradients(own, module))


def test_the_critic_minimizes_its_error_in_alpha_and_its_answer_near_data():
    made = model(strength=2.0, mix=0.25)
    z = made.encode(X)
    guess = (made.critic(made.interpolate(z, ALPHA)) - ALPHA.squeeze(1)).square().mean()
    calm = made.critic(0.25 * X + 0.75 * made.decode(z)).square().mean()
    torch.testing.assert_close(gradients(made.loss(BATCH)["loss"], made.critic), gradients(guess + calm, made.critic))


def test_a_penalty_is_added_with_its_weight():
    composed = model(penalty=lambda codes, sample: codes.sum(), weight=10.0)
    torch.testing.assert_close(composed.loss(BATCH)["loss"], model().loss(BATCH)["loss"] + 10 * 6)


def test_any_loss_of_two_samples_is_a_penalty():
    assert model(penalty=FrechetDistance()).loss(BATCH)["penalty"].isfinite()


def test_alpha_is_uniform_from_0_to_one_half(monkeypatch):
    monkeypatch.undo()
    torch.manual_seed(0)
    drawn = acai._alpha(torch.zeros(10_000, 3))
    assert drawn.shape == (10_000, 1)
    assert 0 <= drawn.min() < 0.001
    assert 0.499 < drawn.max() <= 0.5
    assert drawn.mean().item() == pytest.approx(0.25, abs=4 * 0.5 / 12**0.5 / 100)  # four standard errors
