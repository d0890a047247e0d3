import pytest
import torch

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

MNIST, CIFAR = (1, 28, 28), (3, 32, 32)


@pytest.mark.parametrize("shape", [MNIST, CIFAR])
@pytest.mark.parametrize("family", ["mlp", "conv", "acai"])
def test_decoders_undo_the_shapes_of_encoders(shape, family):
    dim = 98 if family == "acai" and shape == MNIST else 32
    if family == "mlp":
        encoder, decoder = mlp_encoder(shape, dim, (8,)), mlp_decoder(shape, dim, (8,))
    elif family == "conv":
        encoder, decoder = conv_encoder(shape, dim, 4), conv_decoder(shape, dim, 4)
    else:
        encoder, decoder = acai_encoder(shape, dim, 2), acai_decoder(shape, dim, 2)
    x = torch.rand(3, *shape)
    assert encoder(x).shape == (3, dim)
    assert decoder(encoder(x)).shape == x.shape
    assert 0 < decoder(encoder(x)).min() < decoder(encoder(x)).max() < 1


def test_critics_give_a_number_each():
    x = torch.rand(5, *CIFAR)
    assert mlp_critic(CIFAR, (4,))(x).shape == acai_critic(CIFAR, 16, 2)(x).shape == (5,)


def test_the_critic_of_acai_is_its_encoder_averaged():
    critic, x = acai_critic(CIFAR, 16, 2), torch.rand(2, *CIFAR)
    torch.testing.assert_close(critic(x), critic[0](x).mean(1))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="h and w multiples of 4"):
        conv_encoder((1, 30, 28), 8)
    with pytest.raises(ValueError, match=r"\(channels, h, w\)"):
        conv_decoder((64,), 8)
    with pytest.raises(ValueError, match=r"latent_dim must be a multiple of 4·4 = 16 for this network; got 8"):
        acai_encoder(CIFAR, 8)
    with pytest.raises(ValueError, match=r"a multiple of 7·7 = 49"):
        acai_decoder(MNIST, 32)
