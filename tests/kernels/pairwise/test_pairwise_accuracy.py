"""The kernels of the pairwise engine against float64 truth, in every corner of shape, scale and place."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

import fastlatent as fl
from fastlatent.kernels.pairwise import reference
from tests.truth.cases import CASES, CRAMER_WOLD, Case, with_gradients
from tests.truth.clouds import EDGES, Clouds, clouds

DRAWS = 3

# What rounding alone may do, in units of eps · (the sum with every term positive); the sums are those of tests/truth.
#   float32: each term has an error of a few eps of its own (profile, distance), and they do not add up in a row:
#     the root mean square over draws and coordinates stays near 1.
#   Kummer: a Chebyshev series of 20 terms with coefficients rounded to float32, each of them below 1; differentiating
#     it, as the reference does, multiplies its k-th term by up to k².
FLOOR, KUMMER_FLOOR, KUMMER_REFERENCE_FLOOR = 2.0, 4.0, 40.0


def idiom(x: Tensor, y: Tensor) -> Tensor:
    """‖x‖² + ‖y‖² − 2⟨x, y⟩, as it is commonly written."""
    return (x.square().sum(-1).unsqueeze(-1) + y.square().sum(-1) - 2 * x @ y.mT).clamp(min=0)


def by_cdist(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y).square()


def plain(case: Case, *inputs: Tensor) -> tuple[Tensor, ...]:
    """The loss as plain PyTorch computes it in the same dtype."""
    if case.name == "chamfer":
        return with_gradients(lambda x, y: sum(by_cdist(x, y).min(k).values.mean() for k in (0, 1)), *inputs)
    distances = idiom if case.smooth else by_cdist
    single = reference.PROFILES | {"polynomial": reference.polynomial}
    with fl.use_backend("reference"), patch.object(reference, "squared_distances", distances):
        del single
        return with_gradients(case, *inputs)


class Errors:
    """Root mean squares over draws of what a value and its gradients miss of the truth."""

    def __init__(self) -> None:
        self.squares: list[np.ndarray] = []

    def add(self, case: Case, inputs: tuple[Tensor, ...], results: tuple[Tensor, ...]) -> None:
        exact = case.exact(*inputs)
        truths = (np.array(exact.value), *exact.gradients)
        self.squares.append(
            np.array([((r.double().numpy() - t) ** 2).sum() for r, t in zip(results, truths, strict=True)])
        )

    def rms(self) -> np.ndarray:
        return np.sqrt(np.mean(self.squares, 0))


def floor(case: Case, inputs: tuple[Tensor, ...]) -> np.ndarray:
    exact = case.exact(*inputs)
    eps = torch.finfo(inputs[0].dtype).eps
    return eps * np.array([exact.terms, *(np.linalg.norm(t) for t in exact.gradient_terms)])


def units(case: Case, name: str, d: int) -> float:
    if case not in CRAMER_WOLD or not 1 < d < 20:
        return FLOOR
    return KUMMER_REFERENCE_FLOOR if name == "reference" else KUMMER_FLOOR
