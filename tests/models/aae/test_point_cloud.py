import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fastlatent import chamfer_distance
from fastlatent.data import Batch
from fastlatent.models import (
    AAE3D,
    PointNet,
    cloud_decoder,
    earth_mover_distance,
    sinkhorn_distance,
    wasserstein_critic_loss,
)
from fastlatent.models.configs import AAE3DConfig
from fastlatent.models.objectives.wgan_gp import gradient_penalty
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


@pytest.mark.parametrize("p", [1, 2])
def test_earth_mover_distance_is_the_minimum_over_matchings(p):
    x, y = torch.rand(2, 3, 5, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    costs = [(x - y[:, list(order)]).norm(dim=-1).pow(p).mean(-1) for order in itertools.permutations(range(5))]
    torch.testing.assert_close(earth_mover_distance(x, y, p=p), torch.stack(costs).amin(0))


@given(st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_earth_mover_distance_of_a_shifted_permuted_cloud_is_the_shift_squared(shift, random):
    x = torch.rand(6, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    order = random.sample(range(6), 6)
    shifted = x[order] + torch.tensor(shift, dtype=torch.float64)
    assert earth_mover_distance(x, shifted).item() == pytest.approx(sum(s * s for s in shift), rel=1e-9, abs=1e-12)


def test_earth_mover_distance_gradcheck():
    x, y = torch.rand(2, 2, 4, 3, dtype=torch.float64, generator=torch.manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(earth_mover_distance, (x, y))


def test_earth_mover_distance_checks_its_arguments():
    with pytest.raises(ValueError, match=r"as many points each; got shapes \(4, 3\) and \(5, 3\)"):
        earth_mover_distance(torch.rand(4, 3), torch.rand(5, 3))
    with pytest.raises(ValueError, match="p must be 1 or 2; got 3"):
        earth_mover_distance(torch.rand(4, 3), torch.rand(4, 3), p=3)


def test_sinkhorn_distance_approximates_the_earth_mover_distance_from_below():
    x, y = (2 * torch.rand(3, 64, 3, generator=torch.Generator().manual_seed(seed)) - 1 for seed in (0, 1))
    exact, approximation = earth_mover_distance(x, y), sinkhorn_distance(x, y)
    assert (approximation < exact).all()
    torch.testing.assert_close(approximation, exact, rtol=0.1, atol=0)  # geomloss anneals in steps and stops short


@given(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3))
def test_sinkhorn_distance_of_a_shifted_cloud_is_the_shift_squared(shift):
    x = torch.rand(2, 1, 20, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    assert sinkhorn_distance(x, x).abs().max() < 1e-12
    expected = sum(s * s for s in shift)
    shifted = sinkhorn_distance(x, x + torch.tensor(shift, dtype=torch.float64))
    assert shifted.shape == (2, 1)
    assert shifted.tolist() == [[pytest.approx(expected, rel=1e-2, abs=1e-3)]] * 2


def test_gradient_of_sinkhorn_distance():
    x = torch.zeros(4, 3, requires_grad=True)
    y = torch.tensor([[1.0, 0, 0]]).repeat(4, 1)
    (gradient,) = torch.autograd.grad(sinkhorn_distance(x, y), x)
    torch.testing.assert_close(gradient, 2 * (x - y).detach() / 4)


def test_sinkhorn_distance_checks_blur():
    with pytest.raises(ValueError, match="blur must be"):
        sinkhorn_distance(torch.rand(4, 3), torch.rand(5, 3), blur=0.0)


def test_pointnet_is_invariant_to_permutation_and_repetition_of_points():
    encoder, x = PointNet((8, 16), (8,), 4), torch.rand(3, 10, 3)
    torch.testing.assert_close(encoder(x[:, torch.randperm(10)]), encoder(x))
    torch.testing.assert_close(encoder(torch.cat([x, x[:, :5]], dim=1)), encoder(x))


def test_pointnet_by_hand():
    encoder = PointNet((2,), (), 1)
    with torch.no_grad():
        encoder.point[0].weight.copy_(torch.tensor([[1.0, 0, 0], [0, -1.0, 0]]))
        encoder.cloud[0].weight.copy_(torch.tensor([[1.0, 10.0]]))
        encoder.point[0].bias.zero_()
        encoder.cloud[0].bias.zero_()
    assert encoder(CORNERS).flatten().tolist() == [1 + 10 * 0, 0 + 10 * 0]
    assert encoder(-CORNERS).flatten().tolist() == [0 + 10 * 0, 0 + 10 * 2]


def test_shape_and_range_of_decoded_clouds():
    clouds = cloud_decoder(7, 4, (8,))(torch.randn(3, 4))
    assert clouds.shape == (3, 7, 3)
    assert clouds.abs().max() < 1


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
