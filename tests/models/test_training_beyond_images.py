"""Training of the models of point clouds and tables for some seconds, measured on test data."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from fastlatent.data import Dataset, PointCloudDataset, load
from fastlatent.models import MODEL_CONFIGS, Autoencoder
from fastlatent.models.configs import AAE3DConfig, ModelConfig, TabularConfig
from fastlatent.train import TrainConfig
from tests.models.training import DIGITS, TrainedModel, fit_and_measure

pytestmark = pytest.mark.slow

CLOUDS = AAE3DConfig(latent_dim=4, features=(32, 64, 128), hidden=(128, 128))
ROWS = TabularConfig(latent_dim=2, hidden=(64, 64))
POINTS = 64  # number of points of each cloud, enough for the shape


@dataclass(frozen=True)
class Case:
    """Model, data set and training options."""

    data: str
    model: ModelConfig
    training: TrainConfig


SHAPES = Case("shapes", CLOUDS, TrainConfig(epochs=15, lr=2e-3))
WINE = Case("wine", ROWS, TrainConfig(epochs=40, batch_size=32))
CASES = [
    SHAPES,
    Case("modelnet10", CLOUDS, TrainConfig(epochs=4, lr=2e-3)),
    Case("diabetes", ROWS, TrainConfig(epochs=40, batch_size=32)),
    WINE,
    Case("letter", TabularConfig(hidden=(128, 128)), TrainConfig(epochs=2, lr=2e-3)),
]


@dataclass(frozen=True)
class Result:
    """Data and trained model of a case, and codes of test data before and after."""

    data: Dataset
    trained: TrainedModel
    codes: tuple[Tensor, Tensor]


@cache
def train(case: Case, data_dir: Path) -> Result:
    """Train the model of a case, once for all tests; skip data sets whose files are missing."""
    try:
        data = load(case.data, data_dir)
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    if isinstance(data, PointCloudDataset):
        data = data.take_points(POINTS)
    torch.manual_seed(0)
    model = case.model.build(data.shape)
    before = codes(model.eval(), data)
    trained = fit_and_measure(model.train(), data, case.training)
    return Result(data, trained, (before, codes(model, data)))


@torch.no_grad()
def codes(model: Autoencoder, data: Dataset) -> Tensor:
    return model.encode(data.test[:].x)


@pytest.fixture(params=CASES, ids=lambda case: case.data)
def result(request, data_dir):
    return train(request.param, data_dir)


def test_every_configuration_of_other_data_is_trained():
    others = {config for config in MODEL_CONFIGS.values() if config.data_kind != DIGITS.kind}
    assert {type(case.model) for case in CASES} == others


def test_training_lowers_the_objective_on_test_data(result):
    before, after = result.trained.objective
    assert after < 0.6 * before


def test_training_matches_codes_to_the_prior(result):
    before, after = result.trained.accuracy
    assert after < before - 0.1


@pytest.mark.parametrize(("case", "agreement"), [(SHAPES, 0.35), (WINE, 0.75)], ids=["shapes", "wine"])
def test_k_means_on_codes_matches_the_classes(case, agreement, data_dir):
    result = train(case, data_dir)
    labels = result.data.test.labels
    clusters = KMeans(len(labels.unique()), n_init=10, random_state=0)
    before, after = (adjusted_rand_score(labels, clusters.fit_predict(z)) for z in result.codes)
    assert after > agreement  # by chance 0
    assert after > before  # the untrained encoder is above chance too
