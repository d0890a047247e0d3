"""Comparison of the sliced engine on a GPU with the reference in float64.

Points lie on a lattice and directions on the axes where the order of the points must be that of the reference: their
projections are then exact, and tie often.
"""

import torch
from torch import Tensor

import fastlatent as fl
from fastlatent.kernels.sliced import EppsPulley, SlicedDistance

# Of float32 sums relative to the largest entry, and of powers by logarithms; projections are exact in TF32.
ERROR = 3e-6

Form = SlicedDistance | EppsPulley


def lattice(*shape: int, device: str) -> Tensor:
    return torch.randint(-20, 20, shape, device=device).float() / 8


def axes(d: int, count: int, device: str) -> Tensor:
    return torch.eye(d, device=device)[:, torch.arange(count) % d]


def value_and_gradients(form: Form, inputs: tuple[Tensor, ...], needs: tuple[bool, ...]) -> list[Tensor]:
    leaves = [i.detach().clone().requires_grad_(need) for i, need in zip(inputs, needs, strict=True)]
    value = form(*leaves)
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    return [value.detach(), *(torch.autograd.grad(value.sum(), wanted) if wanted else ())]


def assert_as_the_reference(form: Form, inputs: tuple[Tensor, ...], needs: tuple[bool, ...]) -> None:
    ours = value_and_gradients(form, inputs, needs)
    with fl.use_backend("reference"):
        truth = value_and_gradients(form, tuple(i.double() for i in inputs), needs)
    for a, b in zip(ours, truth, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= ERROR * b.abs().max().clamp(min=1e-30)
