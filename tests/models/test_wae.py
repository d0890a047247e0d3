"""Wasserstein autoencoders: penalties and losses by hand."""

import math

import pytest
import torch
from torch import nn

import fastlatent
from fastlatent.data import Batch
from fastlatent.models import WAE, WAEGAN, Autoencoder, LogPenalty, StandardNormalPenalty, penalty
from fastlatent.nn import MMDIMQ
from fastlatent.priors import Normal, Uniform
from tests.models.by_hand import linear, linear_form

X = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.0, 0.5]])
BATCH = Batch(X, torch.zeros(3, dtype=torch.long))
DETERMINISTIC = {
    "frechet": fastlatent.frechet_distance_normal,
    "cramer-wold": fastlatent.cramer_wold_normal,
}


def networks():
    return linear((1.0, 0.0), (0.0, 1.0)), linear((1.0, 0.0), (0.0, 0.0))  # z = x, x̂ = (z₁, 0)


def test_loss_is_reconstruction_plus_weighted_penalty():
    model = WAE(*networks(), lambda codes, sample: codes.sum(), Normal(2), weight=7.0)
    terms = model.loss(BATCH)
    assert terms["reconstruction"].item() == pytest.approx((2**2 + 1**2 + 0.5**2) / 3)
    assert terms["penalty"].item() == pytest.approx(5.5)
    assert terms["loss"].item() == pytest.approx(5.25 / 3 + 7 * 5.5)


def test_penalty_compares_codes_with_a_sample_of_the_prior():
    model = WAE(*networks(), MMDIMQ(), Normal(2), weight=1.0)
    torch.manual_seed(1)
    terms = model.loss(BATCH)
    torch.manual_seed(1)
    torch.testing.assert_close(terms["penalty"], fastlatent.mmd_imq(X, Normal(2).sample(3)))


def test_weight_0_is_the_autoencoder():
    model = WAE(*networks(), MMDIMQ(), Normal(2), weight=0.0)
    torch.testing.assert_close(model.loss(BATCH)["loss"], Autoencoder.loss(model, BATCH)["loss"])


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_penalties_against_the_standard_normal_are_closed_forms(name):
    closed_form = penalty(name, Normal(2))
    assert isinstance(closed_form, StandardNormalPenalty)
    torch.testing.assert_close(closed_form(X, torch.full_like(X, math.nan)), DETERMINISTIC[name](X))


@pytest.mark.parametrize("prior", [Uniform(2), Normal(2, std=3.0)])
@pytest.mark.parametrize("name", ["mmd", "sliced", "cramer-wold", "frechet"])
def test_penalties_against_another_prior_compare_samples(name, prior):
    two_sample, same = penalty(name, prior), prior.sample(200, generator=torch.manual_seed(0))
    assert abs(two_sample(same, same.clone())) < 0.05 * two_sample(same, same + 5)


def test_gradient_of_log_penalty():
    z = X.clone().requires_grad_()
    log = LogPenalty(penalty("cramer-wold", Normal(2)))
    (gradient,) = torch.autograd.grad(log(z, X), z)
    distance = fastlatent.cramer_wold_normal(z)
    (distance_gradient,) = torch.autograd.grad(distance, z)
    torch.testing.assert_close(gradient, distance_gradient / distance.detach())


@pytest.mark.parametrize("value", [0.0, -1e-9, -3.0])
def test_log_penalty_of_a_distance_that_is_not_positive(value):
    z = X.clone().requires_grad_()
    loss = LogPenalty(lambda codes, sample: value + 0 * codes.sum())(z, X)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(torch.finfo(torch.float32).eps))
    assert torch.equal(z.grad, torch.zeros_like(z))


def test_wae_gan_by_hand():
    encoder, decoder = networks()
    discriminator = linear_form(math.log(3), 0.0)  # D(z) = sigmoid(z₁·log 3)
    model = WAEGAN(encoder, decoder, discriminator, Normal(2), weight=2.0)
    batch = Batch(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), torch.zeros(2))
    discriminator_phase, autoencoder = model.phases()
    penalty_value = -(math.log(3 / 4) + math.log(1 / 4)) / 2
    assert autoencoder.loss(batch)["loss"].item() == pytest.approx(2 * penalty_value)  # x̂ = x
    torch.manual_seed(0)
    logit = Normal(2).sample(2, generator=torch.manual_seed(0))[:, 0] * math.log(3)
    torch.manual_seed(0)
    expected = nn.functional.softplus(-logit).mean().item() - (math.log(1 - 3 / 4) + math.log(1 - 1 / 4)) / 2
    assert discriminator_phase.loss(batch)["loss"].item() == pytest.approx(expected)
