"""3D adversarial autoencoder: losses by hand, options."""

import pytest
import torch
from torch import nn

from fastlatent import chamfer_distance
from fastlatent.data import Batch
from fastlatent.models import AAE3D, earth_mover_distance
from fastlatent.models.configs import AAE3DConfig
from fastlatent.priors import Normal
from tests.models.by_hand import linear, linear_form

CORNERS = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])  # two clouds
BATCH = Batch(CORNERS, torch.zeros(2, dtype=torch.long))


def build(**options):
    """z = sum of the points' first two coordinates; each cloud is decoded as the points (z₁, 0, 0) and (0, z₂, 0)."""
    encoder = nn.Sequential(nn.Flatten(), linear((1.0, 0, 0, 1, 0, 0), (0, 1.0, 0, 0, 1, 0)))
    decoder = nn.Sequential(
        linear((1.0, 0), (0, 0), (0, 0), (0, 0), (0, 1.0), (0, 0)),
        nn.Unflatten(1, (2, 3)),
    )
    return AAE3D(encoder, decoder, linear_form(3.0, 4.0), Normal(2), **options)


def test_autoencoder_loss_by_hand():
    # codes (1, 0) and (0, 2): both clouds are reconstructed exactly
    for distance in (chamfer_distance, earth_mover_distance):
        terms = build(distance=distance, weight=0.5).loss(BATCH)
        assert terms["reconstruction"].item() == 0
        assert terms["penalty"].item() == pytest.approx(-(3 * 1 + 4 * 2) / 2)
        assert terms["loss"].item() == pytest.approx(0.5 * -(3 * 1 + 4 * 2) / 2)


def test_reconstruction_error_by_hand():
    batch = Batch(torch.tensor([[[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]]), torch.zeros(1))  # decoded as (3, 0, 0), (0, 0, 0)
    assert build(weight=0.0).loss(batch)["loss"].item() == pytest.approx(1 + 1)  # (1 + 1)/2 from either side
    matched = build(weight=0.0, distance=earth_mover_distance).loss(batch)
    assert matched["loss"].item() == pytest.approx((1 + 1) / 2)


def test_critic_loss_by_hand():
    critic, _ = build(gradient_weight=7.0).phases()
    torch.manual_seed(0)
    z = Normal(2).sample(2)
    torch.manual_seed(0)
    expected = (3 + 4 * 2) / 2 - (z @ torch.tensor([3.0, 4.0])).mean().item() + 7 * (5 - 1) ** 2  # slope ‖(3, 4)‖ = 5
    assert critic.loss(BATCH)["loss"].item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("prior", ["normal", "beta", "bernoulli"])
def test_codes_are_in_the_support_of_the_prior(prior):
    model = AAE3DConfig(latent_dim=4, features=(8,), hidden=(8,), prior=prior).build((16, 3))
    batch = Batch(torch.rand(5, 16, 3), torch.zeros(5))
    z = model.training_codes(batch)
    assert z.shape == (5, 4)
    assert model.reconstruct(batch).shape == model.sample(5).shape == (5, 16, 3)
    if prior != "normal":
        assert ((z >= 0) & (z <= 1)).all()
    for phase in model.phases():
        model.zero_grad()
        phase.loss(batch)["loss"].backward()
        assert all(p.grad is not None for p in phase.parameters), phase.name


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({}, (1, 8, 8), r"shape must be \(points, 3\); got \(1, 8, 8\)"),
        ({"prior": "cauchy"}, (16, 3), "prior must be one of 'normal', 'beta', 'bernoulli'; got 'cauchy'"),
        ({"distance": "hausdorff"}, (16, 3), "distance must be one of"),
        ({"latent_dim": 0}, (16, 3), "latent_dim must be an integer >= 1; got 0"),
        ({"features": (8, 0)}, (16, 3), "features must be an integer >= 1; got 0"),
        ({"features": ()}, (16, 3), "features must be one or more widths"),
        ({"weight": -1.0}, (16, 3), "weight must be a finite number >= 0"),
        ({"concentration": 0.0, "prior": "beta"}, (16, 3), "concentration must be a finite number > 0"),
    ],
)
def test_invalid_options_raise(options, shape, message):
    with pytest.raises(ValueError, match=message):
        AAE3DConfig(**options).build(shape)
