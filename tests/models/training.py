"""Short trainings on real data, cached for all tests that use them."""

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
from tests.models.two_sample import two_sample_accuracy

DIGITS = load("digits")
TEST = DIGITS.test[:]


@dataclass(frozen=True)
class Case:
    """Named configuration with options, number of epochs, and number of labels of each class (None: all)."""

    name: str
    epochs: int
    labels: int | None
    options: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return "-".join([self.name, *(str(value) for _, value in self.options)])


def case(name: str, epochs: int = 25, labels: int | None = None, **options: Any) -> Case:
    """Return a case of the named configuration with these options."""
    return Case(name, epochs, labels, tuple(options.items()))


@dataclass(frozen=True)
class TrainedModel:
    """Trained model, with objective and two-sample accuracy of codes and prior on test data, before and after."""

    model: Any
    objective: tuple[float, float]
    accuracy: tuple[float, float]


@cache
def train(case: Case) -> TrainedModel:
    """Train the model of a case for some seconds on one thread."""
    torch.manual_seed(0)
    model = MODEL_CONFIGS[case.name](hidden=(128, 128), **dict(case.options)).build(DIGITS.shape)  # type: ignore[call-arg]
    data = DIGITS if case.labels is None else replace(DIGITS, train=DIGITS.train.keep_labels(case.labels))
    return fit_and_measure(model, data, TrainConfig(case.epochs, lr=2e-3))


@torch.enable_grad()
def fit_and_measure(model: GenerativeModel, data: Dataset, config: TrainConfig) -> TrainedModel:
    """Train a model on the CPU, with measurements before and after."""
    test = data.test[:]
    before = objective(model, test), prior_accuracy(model, test)
    with tempfile.TemporaryDirectory() as folder:
        fit(model, data, replace(config, accelerator="cpu", run_dir=Path(folder)))
    after = objective(model, test), prior_accuracy(model, test)
    return TrainedModel(model.eval(), *zip(before, after, strict=True))


@torch.no_grad()
def objective(model: GenerativeModel, test: Batch) -> float:
    """Return the loss that the decoder minimizes, on test data."""
    torch.manual_seed(0)
    model.eval()
    terms = {phase.name: phase.loss(test) for phase in model.phases()}
    model.train()
    if isinstance(model, ClusteringAAE):  # whose adversarial terms do not tend to 0
        return terms["autoencoder"]["reconstruction"].item()
    return terms["autoencoder" if "autoencoder" in terms else "generator"]["loss"].item()


@torch.no_grad()
def prior_accuracy(model: GenerativeModel, test: Batch) -> float:
    """Return the two-sample accuracy of codes of test data and samples of the prior."""
    if not isinstance(model, Autoencoder):
        return float("nan")
    torch.manual_seed(1)
    model.eval()
    codes, prior = codes_and_prior(model, test)
    model.train()
    return two_sample_accuracy(codes, prior.sample(len(codes)))


def codes_and_prior(model: Autoencoder, test: Batch) -> tuple[Tensor, Any]:
    """Return codes of test data and their prior: of the style only if the rest is a class or cluster."""
    if isinstance(model, SupervisedAAE):
        return model.encode(test.x), model.style
    if isinstance(model, ClusteringAAE):
        return model.heads(test.x)[1], model.style
    return model.training_codes(test), model.prior
