"""Short trainings, those on real handwritten digits done once however many tests look at them."""

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fastlatent.data import Batch, Dataset, load
from fastlatent.models import MODEL_CONFIGS, Autoencoder, ClusteringAAE, GenerativeModel, SupervisedAAE
from fastlatent.train import TrainConfig, fit
from tests.models.two_sample import told_apart

DIGITS = load("digits")
TEST = DIGITS.test[:]


@dataclass(frozen=True)
class Case:
    """A named configuration with options, how long it trains, and with how many labels of each class (None: all)."""

    name: str
    epochs: int
    labels: int | None
    options: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return "-".join([self.name, *(str(value) for _, value in self.options)])


def case(name: str, epochs: int = 25, labels: int | None = None, **options: Any) -> Case:
    """The named configuration with these options."""
    return Case(name, epochs, labels, tuple(options.items()))


@dataclass(frozen=True)
class Trained:
    """A trained model, its objective on test data before and after, and how well codes are told from the prior."""

    model: Any
    objective: tuple[float, float]
    apart: tuple[float, float]


@cache
def train(case: Case) -> Trained:
    """Train it for some seconds on one thread."""
    torch.manual_seed(0)
    model = MODEL_CONFIGS[case.name](hidden=(128, 128), **dict(case.options)).build(DIGITS.shape)  # type: ignore[call-arg]
    data = DIGITS if case.labels is None else replace(DIGITS, train=DIGITS.train.keep_labels(case.labels))
    return learn(model, data, TrainConfig(case.epochs, lr=2e-3))


@torch.enable_grad()
def learn(model: GenerativeModel, data: Dataset, config: TrainConfig) -> Trained:
    """Train a model on the CPU, and look at it before and after."""
    test = data.test[:]
    before = objective(model, test), apart(model, test)
    with tempfile.TemporaryDirectory() as folder:
        fit(model, data, replace(config, accelerator="cpu", run_dir=Path(folder)))
    after = objective(model, test), apart(model, test)
    return Trained(model.eval(), *zip(before, after, strict=True))


@torch.no_grad()
def objective(model: GenerativeModel, test: Batch) -> float:
    """What the decoder minimizes, on test data."""
    torch.manual_seed(0)
    model.eval()
    terms = {phase.name: phase.loss(test) for phase in model.phases()}
    model.train()
    if isinstance(model, ClusteringAAE):  # whose games do not end at 0
        return terms["autoencoder"]["reconstruction"].item()
    return terms["autoencoder" if "autoencoder" in terms else "deceive"]["loss"].item()


@torch.no_grad()
def apart(model: GenerativeModel, test: Batch) -> float:
    """How well the model's codes of test data are told from fresh draws of its prior."""
    if not isinstance(model, Autoencoder):
        return float("nan")
    torch.manual_seed(1)
    model.eval()
    codes, prior = matched(model, test)
    model.train()
    return told_apart(codes, prior.sample(len(codes)))


def matched(model: Autoencoder, test: Batch) -> tuple[Tensor, Any]:
    """Codes of test data and their prior; the style alone where the rest is a class."""
    if isinstance(model, SupervisedAAE):
        return model.encode(test.x), model.style
    if isinstance(model, ClusteringAAE):
        return model.heads(test.x)[1], model.style
    return model.codes(test), model.prior
