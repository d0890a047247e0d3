"""What the models of point clouds and of tables learn in some seconds, seen on data that they were not trained on."""

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
from tests.models.training import DIGITS, Trained, learn

CLOUDS = AAE3DConfig(latent_dim=4, features=(32, 64, 128), hidden=(128, 128))
ROWS = TabularConfig(latent_dim=2, hidden=(64, 64))
POINTS = 64  # of each cloud; that is enough to tell its shape


@dataclass(frozen=True)
class Lesson:
    """A model, the data it learns, and how."""

    data: str
    model: ModelConfig
    training: TrainConfig


SHAPES = Lesson("shapes", CLOUDS, TrainConfig(epochs=15, lr=2e-3))
WINE = Lesson("wine", ROWS, TrainConfig(epochs=40, batch_size=32))
LESSONS = [
    SHAPES,
    Lesson("modelnet10", CLOUDS, TrainConfig(epochs=4, lr=2e-3)),
    Lesson("diabetes", ROWS, TrainConfig(epochs=40, batch_size=32)),
    WINE,
    Lesson("letter", TabularConfig(hidden=(128, 128)), TrainConfig(epochs=2, lr=2e-3)),
]


@dataclass(frozen=True)
class Learnt:
    """A lesson's data and its trained model, and codes of test data before and after."""

    data: Dataset
    done: Trained
    codes: tuple[Tensor, Tensor]


@cache
def study(lesson: Lesson, data_dir: Path) -> Learnt:
    """Learn it, once however many tests look; a data set whose files are not there is skipped by its name."""
    try:
        data = load(lesson.data, data_dir)
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    if isinstance(data, PointCloudDataset):
        data = data.with_points(POINTS)
    torch.manual_seed(0)
    model = lesson.model.build(data.shape)
    before = codes(model.eval(), data)
    done = learn(model.train(), data, lesson.training)
    return Learnt(data, done, (before, codes(model, data)))


@torch.no_grad()
def codes(model: Autoencoder, data: Dataset) -> Tensor:
    return model.encode(data.test[:].x)


@pytest.fixture(params=LESSONS, ids=lambda lesson: lesson.data)
def learnt(request, data_dir):
    return study(request.param, data_dir)


def test_every_configuration_of_something_else_than_images_is_trained():
    others = {made for made in MODEL_CONFIGS.values() if made.takes != DIGITS.kind}
    assert {type(lesson.model) for lesson in LESSONS} == others


def test_training_lowers_the_objective_on_test_data(learnt):
    before, after = learnt.done.objective
    assert after < 0.6 * before


def test_training_moves_codes_to_the_prior(learnt):
    before, after = learnt.done.apart
    assert after < before - 0.1


@pytest.mark.parametrize(("lesson", "agreement"), [(SHAPES, 0.35), (WINE, 0.75)], ids=["shapes", "wine"])
def test_k_means_on_codes_finds_the_classes(lesson, agreement, data_dir):
    learnt = study(lesson, data_dir)
    labels = learnt.data.test.labels
    clusters = KMeans(len(labels.unique()), n_init=10, random_state=0)
    before, after = (adjusted_rand_score(labels, clusters.fit_predict(z)) for z in learnt.codes)
    assert after > agreement  # by chance 0
    assert after > before  # the untrained encoder tells something too
