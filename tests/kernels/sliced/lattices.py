"""Comparison of the sliced engine on a GPU with the reference in float64.

For points on a lattice and directions along the axes, projections are exact and tie often, so the order of the points
must be that of the reference.
"""

import torch
from torch import Tensor

import fastlatent as fl
from fastlatent.kernels.sliced import EppsPulley, SlicedDistance

# Error of float32 sums and of powers by logarithms, relative to the largest entry; projections are exact in TF32.
ERROR = 3e-6

Form = SlicedDistance | EppsPulley


def lattice(*shape: int, device: str) -> Tensor:
    return torch.randint(-20, 20, shape, device=device).float() / 8


def axes(d: int, count: int, device: str) -> Tensor:
    return torch.eye(d, device=device)[:, torch.arange(count) % d]


def value_and_gradients(form: Form, inputs: tuple[Tensor, ...], needs: tuple[bool, ...]) -> list[Tensor]:
    leaves = [i.detach().clone().requires_grad_(need) for i, need in zip(inputs, needs, strict=True)]
    value = form(*leaves)
    needed = [leaf for leaf in leaves if leaf.requires_grad]
    return [value.detach(), *(torch.autograd.grad(value.sum(), needed) if needed else ())]


def assert_matches_reference(form: Form, inputs: tuple[Tensor, ...], needs: tuple[bool, ...]) -> None:
    ours = value_and_gradients(form, inputs, needs)
    with fl.use_backend("reference"):
        truth = value_and_gradients(form, tuple(i.double() for i in inputs), needs)
    for a, b in zip(ours, truth, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= ERROR * b.abs().max().clamp(min=1e-30)
