"""Every loss of the pairwise engine with its float64 truth: parameters of tests."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

import fastlatent as fl
from tests.truth import pairwise as truth
from tests.truth.pairwise import Truth


@dataclass(frozen=True)
class Case:
    """A loss of one or two samples, and its truth in float64 NumPy."""

    name: str
    loss: Callable[..., Tensor]
    truth: Callable[..., Truth]
    samples: int = 2
    smooth: bool = True  # twice differentiable everywhere
    min_points: int = 1  # per sample

    def __str__(self) -> str:
        return self.name

    def exact(self, *inputs: Tensor) -> Truth:
        """Return the truth for the values of the inputs."""
        return self.truth(*(i.detach().double().cpu().numpy() for i in inputs[: self.samples]))

    def __call__(self, *inputs: Tensor) -> Tensor:
        return self.loss(*inputs[: self.samples])


def _mmd(name: str, kernel: object, profile: Callable[[int], truth.Profile], *, smooth: bool = True) -> list[Case]:
    return [
        Case(
            f"{name}-{estimator}",
            partial(fl.mmd, kernel=kernel, estimator=estimator),
            lambda x, y, estimator=estimator: truth.mmd(x, y, profile(x.shape[1]), estimator),
            smooth=smooth,
            min_points=2 if estimator == "unbiased" else 1,
        )
        for estimator in ("unbiased", "biased")
    ]


MANY_SCALES = tuple(np.geomspace(0.01, 100, 40).tolist())
MMDS = [
    *_mmd("imq", fl.IMQ(), truth.imq),
    *_mmd("imq-1", fl.IMQ((0.7,), sigma=2.0), lambda d: truth.imq(d, (0.7,), 2.0)),
    *_mmd("imq-9", fl.IMQ(MANY_SCALES[::4][:9]), lambda d: truth.imq(d, MANY_SCALES[::4][:9])),
    *_mmd("imq-40", fl.IMQ(MANY_SCALES), lambda d: truth.imq(d, MANY_SCALES)),
    *_mmd("rbf", fl.RBF((0.5, 1.0, 4.0)), lambda d: truth.gaussian((0.5, 1.0, 4.0))),
    *_mmd("laplace", fl.Laplace((0.5, 2.0)), lambda d: truth.laplace((0.5, 2.0)), smooth=False),
    *_mmd("rational-quadratic", fl.RationalQuadratic(), lambda d: truth.rational_quadratic()),
    *_mmd("energy", fl.Energy(), lambda d: truth.energy(), smooth=False),
    *_mmd("polynomial", fl.Polynomial(), truth.polynomial),
    *_mmd("polynomial-2", fl.Polynomial(2, 0.3, 0.5), lambda d: truth.polynomial(d, 2, 0.3, 0.5)),
]
CRAMER_WOLD = [
    Case("cramer_wold", fl.cramer_wold, truth.cramer_wold),
    Case("cramer_wold-gamma", partial(fl.cramer_wold, gamma=0.3), partial(truth.cramer_wold, gamma=0.3)),
    Case("cramer_wold_normal", fl.cramer_wold_normal, truth.cramer_wold_normal, samples=1),
]
CHAMFER = [Case("chamfer", fl.chamfer_distance, truth.chamfer_distance)]
CASES = [*MMDS, *CRAMER_WOLD, *CHAMFER]


def leaves(*inputs: Tensor) -> list[Tensor]:
    """Return copies of the inputs that require gradients."""
    return [i.detach().clone().requires_grad_() for i in inputs]


def with_gradients(loss: Callable[..., Tensor], *inputs: Tensor) -> tuple[Tensor, ...]:
    """Return the value of a loss and its gradients by every input."""
    inputs = tuple(leaves(*inputs))
    value = loss(*inputs)
    return value.detach(), *torch.autograd.grad(value.sum(), inputs)
