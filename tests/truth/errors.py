"""Whether a backend's errors are small: beside plain PyTorch's in the same dtype, against float64 truth."""

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

# What rounding alone may do, in units of eps · (the sum with every term positive and its distance shaken by eps, as in
# tests/truth): the terms have errors of a few eps each (distance, profile), which hardly add up; and few draws of a
# small sample measure plain PyTorch's error badly, which may be 0 by luck.
#   Kummer's function is in plain PyTorch the reference itself: a Chebyshev series of 20 terms, its coefficients
#   rounded to float32, which autograd differentiates, and that multiplies the k-th term by up to k².
FLOOR, KUMMER_FLOOR = 4.0, 40.0


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
    with fl.use_backend("reference"), patch.object(reference, "squared_distances", distances):
        return with_gradients(case, *inputs)


class Errors:
    """Root mean squares over draws of what a value and its gradients miss of the truth."""

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
    return units * dtype.eps * terms + dtype.tiny  # no digits are promised below the smallest normal number


def errors_are_small(
    case: Case, drawn: Clouds, backends: Sequence[str], device: str = "cpu", draws: int = DRAWS
) -> None:
    """The errors of these backends in float32 are at most twice those of plain PyTorch, but for roundings."""
    errors = {name: Errors() for name in ("plain", *backends)}
    floors = []
    for seed in range(draws):
        inputs = tuple(i.to(device) for i in drawn.draw(torch.float32, seed)[: case.samples])
        floors.append(floor(case, inputs))
        errors["plain"].add(case, inputs, plain(case, *inputs))
        for name in backends:
            with fl.use_backend(name):
                errors[name].add(case, inputs, with_gradients(case, *inputs))
    allowed = 2 * errors["plain"].rms() + np.sqrt(np.mean(np.square(floors), 0))
    for name in backends:
        assert (errors[name].rms() <= allowed).all(), f"{name}: {errors[name].rms()}, allowed {allowed}"
