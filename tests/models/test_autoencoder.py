"""Plain, dropout, denoising and variational autoencoders by hand."""

import math

import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from fastlatent.data import Batch, load
from fastlatent.models import VAE, Autoencoder, DenoisingAutoencoder, DropoutAutoencoder
from fastlatent.models.vae import kl_normal
from fastlatent.priors import Normal
from tests.models.by_hand import linear

X = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
BATCH = Batch(X, torch.zeros(2, dtype=torch.long))


def test_loss_is_the_squared_error():
    model = Autoencoder(linear((1.0, 0.0)), linear((1.0,), (1.0,)), Normal(1))  # x̂ = (x₁, x₁)
    assert model.loss(BATCH)["loss"].item() == pytest.approx((1**2 + 4**2) / 2)


def test_linear_autoencoder_reaches_the_error_of_pca():
    x = load("digits").train[:].x.flatten(1)
    model = Autoencoder(nn.Linear(64, 5), nn.Linear(5, 64), Normal(5))
    pca = PCA(5).fit(x.numpy())
    minimum = float(((x - torch.from_numpy(pca.inverse_transform(pca.transform(x.numpy())))) ** 2).sum(1).mean())
    torch.manual_seed(0)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = model.loss(Batch(x, x))["loss"]
        loss.backward()
        return loss

    optimizer.step(closure)
    error = model.loss(Batch(x, x))["loss"].item()
    assert minimum * (1 - 1e-5) < error < 1.001 * minimum  # up to rounding


def test_dropout_in_training_only():
    model = DropoutAutoencoder(nn.Identity(), nn.Identity(), Normal(2), rate=0.75)
    torch.manual_seed(0)
    ones = Batch(torch.ones(2000, 2), torch.zeros(2000))
    reconstruction = model.reconstruct(ones)
    assert reconstruction.unique().tolist() == [0.0, 4.0]
    assert reconstruction.bool().float().mean() == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / 4000))
    assert model.eval().loss(ones)["loss"] == 0


def test_denoising_reconstructs_clean_data_from_noisy_inputs():
    identity = DenoisingAutoencoder(nn.Identity(), nn.Identity(), Normal(2), noise=0.5)
    torch.manual_seed(0)
    loss = identity.loss(BATCH)["loss"]
    torch.manual_seed(0)
    torch.testing.assert_close(loss, (0.5 * torch.randn(2, 2)).square().sum(1).mean())
    torch.testing.assert_close(identity(X), X)  # no noise outside the loss


def test_kl_by_hand():
    mean, log_variance = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, math.log(4)]])
    assert kl_normal(mean, log_variance) == pytest.approx(0.5 * 1 + 0.5 * (4 + 4 - 1 - math.log(4)))


def test_kl_equals_torch_distributions():
    mean, log_variance = torch.randn(2, 7, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(kl_normal(mean, log_variance), expected)


def test_vae_loss_by_hand():
    encoder = linear((1.0, 0.0), (0.0, 0.0))  # μ = x₁, log σ² = 0
    model = VAE(encoder, linear((1.0,), (0.0,)), dim=1, beta=3.0)
    torch.manual_seed(0)
    terms = model.loss(BATCH)
    torch.manual_seed(0)
    noise = torch.randn(2, 1).squeeze(1)
    torch.testing.assert_close(terms["reconstruction"], (noise.square() + X[:, 1].square()).mean())
    assert terms["kl"].item() == pytest.approx((1 + 9) / 2 / 2)
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + 3 * terms["kl"])
    torch.testing.assert_close(model.encode(X), X[:, :1])
    torch.testing.assert_close(model.reconstruct(BATCH), torch.stack([X[:, 0], torch.zeros(2)], 1))
