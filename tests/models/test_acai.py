"""ACAI: losses and gradients by hand."""

import pytest
import torch

from fastlatent.data import Batch
from fastlatent.models import ACAI, Autoencoder, acai
from fastlatent.models.base.data_parallel import SINGLE_PROCESS
from fastlatent.nn import FrechetDistance
from fastlatent.priors import Normal
from tests.models.by_hand import linear, linear_form

X = torch.tensor([[1.0, 2.0], [5.0, 0.0]])
BATCH = Batch(X, torch.zeros(2, dtype=torch.long))
ALPHA = torch.tensor([[0.5], [0.25]])


@pytest.fixture(autouse=True)
def alpha(monkeypatch):
    monkeypatch.setattr(acai, "_sample_alpha", lambda z, context: ALPHA)


def build(**options):
    """z = x₁, x̂ = (z, 0), d(x) = x₁ + x₂."""
    return ACAI(linear((1.0, 0.0)), linear((1.0,), (0.0,)), linear_form(1.0, 1.0), Normal(1), **options)


# The codes are 1 and 5; x̂_α decodes α·own + (1 − α)·neighbor: 0.5·1 + 0.5·5 = 3 and 0.25·5 + 0.75·1 = 2.


def test_interpolation_by_hand():
    z = torch.tensor([[1.0], [5.0]])
    torch.testing.assert_close(build().interpolate(z, ALPHA), torch.tensor([[3.0, 0.0], [2.0, 0.0]]))


ERROR = (2**2 + 0) / 2
REALISM = (3**2 + 2**2) / 2
ALPHA_ERROR = ((3 - 0.5) ** 2 + (2 - 0.25) ** 2) / 2
REGULARIZER = ((1 + 0.25 * 2) ** 2 + 5**2) / 2  # of ¼·x + ¾·x̂ = (1, ½) and (5, 0)


def test_losses_by_hand():
    terms = build(interpolation_weight=2.0, gamma=0.25).loss(BATCH)
    assert terms["reconstruction"].item() == pytest.approx(ERROR)
    assert terms["interpolation_realism"].item() == pytest.approx(REALISM)
    assert terms["critic_alpha_error"].item() == pytest.approx(ALPHA_ERROR)
    assert terms["critic_regularizer"].item() == pytest.approx(REGULARIZER)
    assert terms["loss"].item() == pytest.approx(ERROR + 2 * REALISM + ALPHA_ERROR + REGULARIZER)


def gradients(loss, module):
    return torch.autograd.grad(loss, tuple(module.parameters()), retain_graph=True)


def test_gradient_of_the_autoencoder():
    model = build(interpolation_weight=2.0)
    z = model.encode(X)
    expected = Autoencoder.loss(model, BATCH)["loss"] + 2 * model.critic(model.interpolate(z, ALPHA)).square().mean()
    loss = model.loss(BATCH)["loss"]
    for module in (model.encoder, model.decoder):
        torch.testing.assert_close(gradients(loss, module), gradients(expected, module))


def test_gradient_of_the_critic():
    model = build(interpolation_weight=2.0, gamma=0.25)
    z = model.encode(X)
    alpha_error = (model.critic(model.interpolate(z, ALPHA)) - ALPHA.squeeze(1)).square().mean()
    regularizer = model.critic(0.25 * X + 0.75 * model.decode(z)).square().mean()
    torch.testing.assert_close(
        gradients(model.loss(BATCH)["loss"], model.critic),
        gradients(alpha_error + regularizer, model.critic),
    )


def test_penalty_is_added_with_its_weight():
    penalized = build(penalty=lambda codes, sample: codes.sum(), weight=10.0)
    torch.testing.assert_close(penalized.loss(BATCH)["loss"], build().loss(BATCH)["loss"] + 10 * 6)


def test_two_sample_loss_as_penalty():
    assert build(penalty=FrechetDistance()).loss(BATCH)["penalty"].isfinite()


def test_alpha_is_uniform_from_0_to_one_half(monkeypatch):
    monkeypatch.undo()
    torch.manual_seed(0)
    samples = acai._sample_alpha(torch.zeros(10_000, 3), SINGLE_PROCESS)
    assert samples.shape == (10_000, 1)
    assert 0 <= samples.min() < 0.001
    assert 0.499 < samples.max() <= 0.5
    assert samples.mean().item() == pytest.approx(0.25, abs=4 * 0.5 / 12**0.5 / 100)  # four standard errors
