"""Errors of backends against float64 truth, compared with those of plain PyTorch in the same dtype."""

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

import fastlatent as fl
from fastlatent.kernels.pairwise import reference
from tests.truth.cases import CRAMER_WOLD, Case, with_gradients
from tests.truth.clouds import Clouds

DRAWS = 3

# Maximal error due to rounding alone, in units of eps · (sum of absolute terms, see Truth): each term has an error of
# few eps (distance, profile), and these hardly add up. From few draws of a small sample the error of plain PyTorch is
# estimated badly: it may be 0 by chance.
#   For Kummer's function plain PyTorch is the reference itself: a Chebyshev series of 20 terms with coefficients
# rounded to float32, differentiated by autograd, which multiplies the k-th term by up to k².
FLOOR, KUMMER_FLOOR = 4.0, 40.0


def expanded_squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Return ‖x‖² + ‖y‖² − 2⟨x, y⟩, the common formula."""
    return (x.square().sum(-1).unsqueeze(-1) + y.square().sum(-1) - 2 * x @ y.mT).clamp(min=0)


def cdist_squared(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y).square()


def plain(case: Case, *inputs: Tensor) -> tuple[Tensor, ...]:
    """Compute the loss and its gradients by plain PyTorch in the same dtype."""
    if case.name == "chamfer":
        return with_gradients(lambda x, y: sum(cdist_squared(x, y).min(k).values.mean() for k in (0, 1)), *inputs)
    distances = expanded_squared_distances if case.smooth else cdist_squared
    with fl.use_backend("reference"), patch.object(reference, "squared_distances", distances):
        return with_gradients(case, *inputs)


class Errors:
    """Root mean square errors of a value and its gradients, over draws."""

    def __init__(self) -> None:
        self.squares: list[np.ndarray] = []

    def add(self, case: Case, inputs: tuple[Tensor, ...], results: tuple[Tensor, ...]) -> None:
        exact = case.exact(*inputs)
        truths = (np.array(exact.value), *exact.gradients)
        self.squares.append(
            np.array([((r.double().cpu().numpy() - t) ** 2).sum() for r, t in zip(results, truths, strict=True)])
        )

    def rms(self) -> np.ndarray:
        return np.sqrt(np.mean(self.squares, 0))


def floor(case: Case, inputs: tuple[Tensor, ...]) -> np.ndarray:
    exact = case.exact(*inputs)
    units = KUMMER_FLOOR if case in CRAMER_WOLD and 1 < inputs[0].shape[-1] < 20 else FLOOR
    terms = np.array([exact.terms, *(np.linalg.norm(t) for t in exact.gradient_terms)])
    dtype = torch.finfo(inputs[0].dtype)
    return units * dtype.eps * terms + dtype.tiny  # numbers below the smallest normal one have no guaranteed accuracy


def assert_errors_small(
    case: Case, points: Clouds, backends: Sequence[str], device: str = "cpu", draws: int = DRAWS
) -> None:
    """Assert that errors of the backends in float32 are at most twice those of plain PyTorch, up to rounding."""
    errors = {name: Errors() for name in ("plain", *backends)}
    floors = []
    for seed in range(draws):
        inputs = tuple(i.to(device) for i in points.draw(torch.float32, seed)[: case.samples])
        floors.append(floor(case, inputs))
        errors["plain"].add(case, inputs, plain(case, *inputs))
        for name in backends:
            with fl.use_backend(name):
                errors[name].add(case, inputs, with_gradients(case, *inputs))
    max_errors = 2 * errors["plain"].rms() + np.sqrt(np.mean(np.square(floors), 0))
    for name in backends:
        assert (errors[name].rms() <= max_errors).all(), f"{name}: {errors[name].rms()}, maximum {max_errors}"
