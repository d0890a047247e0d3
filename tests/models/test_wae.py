import math

import pytest
import torch
from torch import nn

import fastlatent
from fastlatent.data import Batch
from fastlatent.models import WAE, WAEGAN, Autoencoder, LogPenalty, StandardNormalPenalty, penalty
from fastlatent.nn import MMDIMQ
from fastlatent.priors import Normal, Uniform
from tests.models.by_hand import linear, number

X = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.0, 0.5]])
BATCH = Batch(X, torch.zeros(3, dtype=torch.long))
WITHOUT_RANDOMNESS = {
    "frechet": fastlatent.frechet_distance_normal,
    "cramer-wold": fastlatent.cramer_wold_normal,
}


def networks():
    return linear((1.0, 0.0), (0.0, 1.0)), linear((1.0, 0.0), (0.0, 0.0))  # z = x, x̂ = (z₁, 0)


def test_the_loss_is_reconstruction_plus_weighted_penalty():
    model = WAE(*networks(), lambda codes, sample: codes.sum(), Normal(2), weight=7.0)
    terms = model.loss(BATCH)
    assert terms["reconstruction"].item() == pytest.approx((2**2 + 1**2 + 0.5**2) / 3)
    assert terms["penalty"].item() == pytest.approx(5.5)
    assert terms["loss"].item() == pytest.approx(5.25 / 3 + 7 * 5.5)


def test_the_penalty_compares_codes_with_a_fresh_sample_of_the_prior():
    model = WAE(*networks(), MMDIMQ(), Normal(2), weight=1.0)
    torch.manual_seed(1)
    terms = model.loss(BATCH)
    torch.manual_seed(1)
    torch.testing.assert_close(terms["penalty"], fastlatent.mmd_imq(X, Normal(2).sample(3)))


def test_without_weight_it_is_the_autoencoder():
    model = WAE(*networks(), MMDIMQ(), Normal(2), weight=0.0)
    torch.testing.assert_close(model.loss(BATCH)["loss"], Autoencoder.loss(model, BATCH)["loss"])


@pytest.mark.parametrize("name", WITHOUT_RANDOMNESS)
def test_against_the_standard_normal_penalties_are_their_closed_forms(name):
    made = penalty(name, Normal(2))
    assert isinstance(made, StandardNormalPenalty)
    torch.testing.assert_close(made(X, torch.full_like(X, math.nan)), WITHOUT_RANDOMNESS[name](X))


@pytest.mark.parametrize("prior", [Uniform(2), Normal(2, std=3.0)])
@pytest.mark.parametrize("name", ["mmd", "sliced", "cramer-wold", "frechet"])
def test_against_another_prior_penalties_compare_samples(name, prior):
    made, same = penalty(name, prior), prior.sample(200, generator=torch.manual_seed(0))
    assert abs(made(same, same.clone())) < 0.05 * made(same, same + 5)


def test_the_logarithm_has_the_gradient_of_the_relative_distance():
    z = X.clone().requires_grad_()
    log = LogPenalty(penalty("cramer-wold", Normal(2)))
    (ours,) = torch.autograd.grad(log(z, X), z)
    distance = fastlatent.cramer_wold_normal(z)
    (plain,) = torch.autograd.grad(distance, z)
    torch.testing.assert_close(ours, plain / distance.detach())


@pytest.mark.parametrize("value", [0.0, -1e-9, -3.0])
def test_the_logarithm_is_safe_where_the_distance_is_not_positive(value):
    z = X.clone().requires_grad_()
    loss = LogPenalty(lambda codes, sample: value + 0 * codes.sum())(z, X)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(torch.finfo(torch.float32).eps))
    assert torch.equal(z.grad, torch.zeros_like(z))


def test_wae_gan_by_hand():
    encoder, decoder = networks()
    critic = number(math.log(3), 0.0)  # D(z) = sigmoid(z₁·log 3)
    model = WAEGAN(encoder, decoder, critic, Normal(2), weight=2.0)
    batch = Batch(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), torch.zeros(2))
    judge, autoencoder = model.phases()
    deceived = -(math.log(3 / 4) + math.log(1 / 4)) / 2
    assert autoencoder.loss(batch)["loss"].item() == pytest.approx(2 * deceived)  # x̂ = x
    torch.manual_seed(0)
    answer = Normal(2).sample(2, generator=torch.manual_seed(0))[:, 0] * math.log(3)
    torch.manual_seed(0)
    expected = nn.functional.softplus(-answer).mean().item() - (math.log(1 - 3 / 4) + math.log(1 - 1 / 4)) / 2
    assert judge.loss(batch)["loss"].item() == pytest.approx(expected)
