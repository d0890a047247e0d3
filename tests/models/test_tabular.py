"""Autoencoder of table rows: loss by hand, configurations."""

import math

import pytest
import torch
from torch import nn

from fastlatent.data import Batch
from fastlatent.models import Columns, EntityEmbeddings, TabularAutoencoder
from fastlatent.models.configs import TabularConfig
from fastlatent.priors import Normal
from tests.models.by_hand import linear

CATEGORIES = (0, 3, 0, 2)  # numeric columns 0 and 2, categories in 1 and 3
X = torch.tensor([[0.5, 2.0, -1.0, 0.0], [1.5, 0.0, 3.0, 1.0]])


def model(**options):
    """Codes are the two numeric columns; they are decoded as (z₁, 0) and logits (0, 0, log 2) and (0, 0)."""
    columns = Columns(CATEGORIES)
    encoder = nn.Sequential(EntityEmbeddings(columns), linear((1.0, 0, 0, 0, 0), (0, 1.0, 0, 0, 0)))
    decoder = nn.Linear(2, 7)
    with torch.no_grad():
        decoder.weight.zero_()[0, 0] = 1
        decoder.bias.zero_()[4] = math.log(2)
    return TabularAutoencoder(encoder, decoder, Normal(2), columns, **options)


def test_loss_by_hand():
    terms = model(penalty=lambda codes, sample: codes.sum(), weight=3.0).loss(Batch(X, torch.zeros(2)))
    numeric = (1**2 + 3**2) / 2  # z₁ is exact, the other column decoded as 0
    categorical = (-math.log(2 / 4) - math.log(1 / 4)) / 2 + math.log(2)  # softmax (1/4, 1/4, 2/4); a coin
    assert terms["numeric"].item() == pytest.approx(numeric)
    assert terms["categorical"].item() == pytest.approx(categorical)
    assert terms["penalty"].item() == 4
    assert terms["loss"].item() == pytest.approx(numeric + categorical + 3 * 4)


def test_loss_without_penalty_is_the_reconstruction():
    terms = model().loss(Batch(X, torch.zeros(2)))
    assert set(terms) == {"loss", "numeric", "categorical"}
    assert terms["loss"].item() == pytest.approx(terms["numeric"].item() + terms["categorical"].item())


def test_decode_returns_rows():
    assert model().decode(torch.tensor([[2.5, 9.0]])).tolist() == [[2.5, 2.0, 0.0, 0.0]]


@pytest.mark.parametrize("categories", [(0, 0, 0), (4, 4), (0, 5)])
@pytest.mark.parametrize("penalty", ["mmd", "sliced", "cramer-wold", "frechet", "epps-pulley", "none"])
def test_configuration_with_any_columns_and_any_penalty(categories, penalty):
    autoencoder = TabularConfig(latent_dim=3, hidden=(8,), penalty=penalty).build(categories)
    rows = torch.stack([torch.randint(max(k, 1), (6,)) for k in categories], dim=1).float()
    terms = autoencoder.loss(Batch(rows, torch.zeros(6)))
    terms["loss"].backward()
    assert ("penalty" in terms) == (penalty != "none")
    assert all(p.grad is not None for p in autoencoder.parameters())
    assert autoencoder.sample(4).shape == (4, len(categories))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Columns(()), "categories must have a number for each column; got none"),
        (lambda: Columns((3, -1)), "categories must be an integer >= 0; got -1"),
        (lambda: TabularConfig(hidden=(0,)).build((0,)), "hidden must be an integer >= 1; got 0"),
        (lambda: TabularConfig(latent_dim=0).build((0,)), "latent_dim must be an integer >= 1; got 0"),
        (lambda: TabularConfig(penalty="mdm").build((0,)), "penalty must be one of"),
        (lambda: TabularConfig(weight=-1.0).build((0,)), "weight must be a finite number >= 0"),
    ],
)
def test_invalid_options_raise(build, message):
    with pytest.raises(ValueError, match=message):
        build()
