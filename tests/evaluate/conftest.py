"""Fixtures of the evaluation tests: data, an untrained model, a cache of classifiers."""

from pathlib import Path

import pytest
import torch

from fastlatent.data import Dataset, load
from fastlatent.evaluate import EvaluatedModel
from fastlatent.models.configs import WAEMMDConfig


@pytest.fixture(scope="session")
def classifiers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of classifiers shared by all tests, so that each is trained once."""
    return tmp_path_factory.mktemp("classifiers")


@pytest.fixture(autouse=True)
def _cache(classifiers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTLATENT_CACHE", str(classifiers))


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture
def untrained(digits: Dataset) -> EvaluatedModel:
    """A small untrained autoencoder of digits."""
    torch.manual_seed(0)
    return EvaluatedModel(WAEMMDConfig(hidden=(16,)).build(digits.shape), digits)
