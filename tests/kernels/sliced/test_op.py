"""Registered ops of the sliced engine: opcheck, torch.compile, vmap."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import fastlatent
from fastlatent.kernels.sliced import epps_pulley, sliced
from fastlatent.losses.directions import random_directions


@pytest.mark.parametrize("needs_grad", [(True, True, False), (True, False, True)])
def test_opcheck(needs_grad: tuple[bool, ...]) -> None:
    inputs = [torch.randn(2, 6, 3), torch.randn(2, 5, 3), random_directions(3, 4).expand(2, 3, 4)]
    x, y, theta = (i.clone().requires_grad_(need) for i, need in zip(inputs, needs_grad, strict=True))
    torch.library.opcheck(sliced, (x, y, theta, 2.0, False, *needs_grad))
    torch.library.opcheck(epps_pulley, (x, theta, 17, 3.0, needs_grad[0], needs_grad[2]))


@pytest.mark.parametrize(
    "loss",
    [
        fastlatent.sliced_wasserstein,
        lambda x, y, **k: fastlatent.sliced_wasserstein_normal(x, **k),
        lambda x, y, **k: fastlatent.epps_pulley(x, **k),
    ],
    ids=["sliced_wasserstein", "sliced_wasserstein_normal", "epps_pulley"],
)
def test_torch_compile_fullgraph_and_vmap(loss: Callable[..., Tensor]) -> None:
    theta = random_directions(3, 6)
    x, y = torch.randn(4, 9, 3, requires_grad=True), torch.randn(4, 9, 3)
    eager = loss(x, y, projections=theta)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")(x, y, projections=theta)
    torch.testing.assert_close(compiled, eager)
    torch.testing.assert_close(*(torch.autograd.grad(v.sum(), x)[0] for v in (compiled, eager)))
    torch.testing.assert_close(torch.vmap(lambda a, b: loss(a, b, projections=theta))(x, y), eager)
