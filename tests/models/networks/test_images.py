"""Encoders, decoders and critics of images."""

from itertools import islice

import pytest
import torch
from torch import nn

from fastlatent.data import load
from fastlatent.models import (
    acai_critic,
    acai_decoder,
    acai_encoder,
    conv_decoder,
    conv_encoder,
    mlp_critic,
    mlp_decoder,
    mlp_encoder,
)
from fastlatent.models.autoencoder import squared_error

MNIST, CIFAR = (1, 28, 28), (3, 32, 32)


@pytest.mark.parametrize("shape", [MNIST, CIFAR])
@pytest.mark.parametrize("family", ["mlp", "conv", "acai"])
def test_shapes_of_encoders_and_decoders(shape, family):
    dim = 98 if family == "acai" and shape == MNIST else 32
    if family == "mlp":
        encoder, decoder = mlp_encoder(shape, dim, (8,)), mlp_decoder(shape, dim, (8,))
    elif family == "conv":
        encoder, decoder = conv_encoder(shape, dim, 4), conv_decoder(shape, dim, 4)
    else:
        encoder, decoder = acai_encoder(shape, dim, 2), acai_decoder(shape, dim, 2)
    x = torch.rand(3, *shape)
    assert encoder(x).shape == (3, dim)
    reconstruction = decoder(encoder(x))
    assert reconstruction.shape == x.shape
    assert reconstruction.min() < reconstruction.max()
    assert family == "acai" or 0 < reconstruction.min() < reconstruction.max() < 1


def test_critics_return_scalars():
    x = torch.rand(5, *CIFAR)
    assert mlp_critic(CIFAR, (4,))(x).shape == acai_critic(CIFAR, 16, 2)(x).shape == (5,)


def test_acai_critic_is_the_mean_of_its_encoder():
    critic, x = acai_critic(CIFAR, 16, 2), torch.rand(2, *CIFAR)
    torch.testing.assert_close(critic(x), critic[0](x).mean(1))


def test_acai_networks_learn_images_on_a_black_background():
    torch.manual_seed(0)
    data = load("lines").train
    network = nn.Sequential(acai_encoder((1, 32, 32), 32, 8), acai_decoder((1, 32, 32), 32, 8))
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for batch in islice(data.shuffled(32, torch.Generator().manual_seed(0)), 60):
        optimizer.zero_grad()
        squared_error(batch.x, network(batch.x)).backward()
        optimizer.step()
    x = data.evenly_spaced(256).x
    assert squared_error(x, network(x)) < 0.9 * squared_error(x, x.mean(0).expand_as(x))


def test_invalid_shapes_raise():
    with pytest.raises(ValueError, match="h and w multiples of 4"):
        conv_encoder((1, 30, 28), 8)
    with pytest.raises(ValueError, match=r"\(channels, h, w\)"):
        conv_decoder((64,), 8)
    with pytest.raises(ValueError, match=r"latent_dim must be a multiple of 4·4 = 16 for this network; got 8"):
        acai_encoder(CIFAR, 8)
    with pytest.raises(ValueError, match=r"a multiple of 7·7 = 49"):
        acai_decoder(MNIST, 32)
