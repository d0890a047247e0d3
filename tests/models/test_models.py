import pytest
import torch

from fastlatent import mmd_imq
from fastlatent.models import CONFIGURATIONS, WAE, Autoencoder, Batch, mlp_decoder, mlp_encoder
from fastlatent.models.configurations import AE, WAEMMD
from fastlatent.nn import MMDIMQ
from fastlatent.priors import Normal

SHAPE = (1, 4, 4)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return Batch(torch.rand(6, *SHAPE, generator=generator), torch.zeros(6, dtype=torch.long))


def networks(dim=3):
    return mlp_encoder(SHAPE, dim, (8,)), mlp_decoder(SHAPE, dim, (8,))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_configuration_encodes_decodes_and_samples(name, batch):
    model = CONFIGURATIONS[name]().build(SHAPE)
    z = model.encode(batch.x)
    assert z.shape == (6, 8)
    assert model.decode(z).shape == batch.x.shape
    samples = model.sample(5)
    assert samples.shape == (5, *SHAPE)
    assert ((samples > 0) & (samples < 1)).all()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_phases_move_every_parameter(name, batch):
    model = CONFIGURATIONS[name]().build(SHAPE)
    for phase in model.phases():
        phase.loss(batch)["loss"].backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in phase.parameters)
    assert {p for phase in model.phases() for p in phase.parameters} == set(model.parameters())


def test_autoencoder_loss_is_the_squared_error_of_an_image(batch):
    model = Autoencoder(*networks(), Normal(3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()  # so that every pixel of x̂ is sigmoid(0) = 1/2
    expected = sum(((x - 0.5) ** 2).sum() for x in batch.x) / 6
    torch.testing.assert_close(model.loss(batch)["loss"], expected)


def test_wae_loss_is_reconstruction_plus_weighted_penalty(batch):
    model = WAE(*networks(), MMDIMQ(), Normal(3), weight=7.0)
    torch.manual_seed(1)
    terms = model.loss(batch)
    torch.manual_seed(1)
    penalty = mmd_imq(model.encode(batch.x), Normal(3).sample(6))
    torch.testing.assert_close(terms["penalty"], penalty)
    torch.testing.assert_close(terms["loss"], Autoencoder.loss(model, batch)["loss"] + 7 * penalty)


def test_wae_without_weight_is_the_autoencoder(batch):
    model = WAE(*networks(), MMDIMQ(), Normal(3), weight=0.0)
    torch.testing.assert_close(model.loss(batch)["loss"], Autoencoder.loss(model, batch)["loss"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (AE(latent_dim=0), "latent_dim must be an integer >= 1; got 0"),
        (AE(hidden=(8, 0)), "hidden must be an integer >= 1; got 0"),
        (WAEMMD(weight=-1.0), "weight must be a finite number >= 0; got -1.0"),
        (WAEMMD(sigma=0.0), "sigma must be"),
        (WAEMMD(scales=()), "scales must be"),
        (WAEMMD(prior="swiss-roll"), "needs latent_dim = 2; got 8"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        options.build(SHAPE)
