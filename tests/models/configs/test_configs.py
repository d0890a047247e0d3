"""Every named configuration: samples, codes, phases, invalid options."""

import pytest
import torch
from torch import nn

from fastlatent.data import Batch
from fastlatent.models import MODEL_CONFIGS, Autoencoder
from fastlatent.models.configs import AEConfig
from fastlatent.models.configs.aae import AAELabeledConfig
from fastlatent.models.configs.acai import ACAIConfig
from fastlatent.models.configs.base import DenoisingAEConfig, DropoutAEConfig
from fastlatent.models.configs.generators import GANConfig, VAEConfig, VQVAEConfig
from fastlatent.models.configs.wae import WAEEppsPulleyConfig, WAEMMDConfig
from tests.models.by_hand import SHAPE

IMAGES = [name for name, config in MODEL_CONFIGS.items() if config.data_kind == "images"]


def build(name, **options):
    torch.manual_seed(0)
    return MODEL_CONFIGS[name](hidden=(16,), **options).build(SHAPE)


@pytest.mark.parametrize("name", IMAGES)
def test_samples_of_every_configuration(name):
    model = build(name)
    samples = model.sample(5)
    assert samples.shape == (5, *SHAPE)
    assert ((samples > 0) & (samples < 1)).all()


@pytest.mark.parametrize("name", IMAGES)
def test_codes_have_the_dimensions_of_the_prior(name, batch):
    model = build(name)
    if not isinstance(model, Autoencoder):
        assert name == "gan"
        return
    z = model.training_codes(batch)
    assert z.shape == (6, model.prior.dim)
    assert model.decode(z).shape == model.reconstruct(batch).shape == batch.x.shape
    assert model.prior_like(z).shape == z.shape


@pytest.mark.parametrize("name", IMAGES)
def test_phases_have_gradients_to_all_parameters(name, batch):
    model = build(name)
    for phase in model.phases():
        model.zero_grad()
        phase.loss(batch)["loss"].backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in phase.parameters), phase.name
    assert {p for phase in model.phases() for p in phase.parameters} == set(model.parameters())
    assert len({phase.name for phase in model.phases()}) == len(model.phases())


@pytest.mark.parametrize("name", IMAGES)
def test_discriminator_loss_has_no_gradient_to_the_generator(name, batch):
    model = build(name)
    for discriminator in (phase for phase in model.phases() if phase.name.startswith("discriminator")):
        model.zero_grad()
        discriminator.loss(batch)["loss"].backward()
        others = set(model.parameters()) - set(discriminator.parameters)
        assert all(p.grad is None for p in others)


@pytest.mark.parametrize("name", ["aae-clustering", "aae-semi-supervised", "aae-dimension-reduction"])
@pytest.mark.parametrize(("options", "layers"), [({}, 3), ({"batch_norm": "last"}, 1), ({"network": "conv"}, 1)])
def test_batch_norm_of_all_layers_or_the_last(name, options, layers):
    encoder = MODEL_CONFIGS[name](hidden=(16, 8), **options).build(SHAPE).encoder
    assert sum(isinstance(layer, nn.BatchNorm1d) for layer in encoder.modules()) == layers
    assert encoder.train()(torch.randn(64, *SHAPE)).mean(0).abs().max() < 1e-5


def test_unknown_batch_norm_is_refused():
    with pytest.raises(ValueError, match="batch_norm must be one of 'all', 'last'; got 'first'"):
        MODEL_CONFIGS["aae-clustering"](batch_norm="first").build(SHAPE)


@pytest.mark.parametrize("name", IMAGES)
def test_every_configuration_with_convolutions(name):
    assert MODEL_CONFIGS[name](network="conv").build(SHAPE).sample(2).shape == (2, *SHAPE)


@pytest.mark.parametrize("network", ["conv", "acai"])
@pytest.mark.parametrize("name", ["ae", "vae", "gan", "swae", "aae", "acai"])
def test_critics_of_data_have_the_architecture_of_the_encoder(name, network):
    model = MODEL_CONFIGS[name](network=network, latent_dim=16).build((3, 8, 8))
    x = torch.rand(2, 3, 8, 8)
    for phase in model.phases():
        assert phase.loss(Batch(x, torch.zeros(2, dtype=torch.long)))["loss"].isfinite()
    if name in ("gan", "acai"):
        critic = model.discriminator if name == "gan" else model.critic
        assert isinstance(critic[0][0], torch.nn.Conv2d)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (AEConfig(latent_dim=0), "latent_dim must be an integer >= 1; got 0"),
        (AEConfig(hidden=(8, 0)), "hidden must be an integer >= 1; got 0"),
        (AEConfig(network="cnn"), "network must be one of 'mlp', 'conv', 'acai'; got 'cnn'"),  # type: ignore[arg-type]
        (WAEMMDConfig(weight=-1.0), "weight must be a finite number >= 0; got -1.0"),
        (WAEMMDConfig(sigma=0.0), "sigma must be"),
        (WAEMMDConfig(scales=()), "scales must be"),
        (WAEMMDConfig(prior="swiss-roll"), "needs latent_dim = 2; got 8"),
        (WAEEppsPulleyConfig(sigma=2.0), "'epps-pulley' needs the prior"),
        (AAELabeledConfig(latent_dim=3), "needs latent_dim = 2; got 3"),
        (ACAIConfig(gamma=1.0), r"gamma must be a number in \[0, 1\); got 1.0"),
        (ACAIConfig(penalty="mdm"), "penalty must be one of 'mmd', 'sliced'"),  # type: ignore[arg-type]
        (DropoutAEConfig(rate=1.0), "rate must be"),
        (DenoisingAEConfig(noise=-0.1), "noise must be"),
        (VAEConfig(beta=-1.0), "beta must be"),
        (VQVAEConfig(latent_dim=9), "latent_dim must be a multiple of parts = 8; got 9"),
        (GANConfig(generator_loss="zero-sum"), "generator_loss must be one of"),  # type: ignore[arg-type]
    ],
)
def test_invalid_options_raise(options, message):
    with pytest.raises(ValueError, match=message):
        options.build(SHAPE)
