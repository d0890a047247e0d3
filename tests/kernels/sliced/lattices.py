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

SlicedOperation = SlicedDistance | EppsPulley


def lattice(*shape: int, device: str) -> Tensor:
    return torch.randint(-20, 20, shape, device=device).float() / 8


def axes(d: int, count: int, device: str) -> Tensor:
    return torch.eye(d, device=device)[:, torch.arange(count) % d]


def value_and_gradients(
    operation: SlicedOperation, inputs: tuple[Tensor, ...], needs_grad: tuple[bool, ...]
) -> list[Tensor]:
    leaves = [i.detach().clone().requires_grad_(need) for i, need in zip(inputs, needs_grad, strict=True)]
    value = operation(*leaves)
    grad_leaves = [leaf for leaf in leaves if leaf.requires_grad]
    return [value.detach(), *(torch.autograd.grad(value.sum(), grad_leaves) if grad_leaves else ())]


def assert_matches_reference(
    operation: SlicedOperation, inputs: tuple[Tensor, ...], needs_grad: tuple[bool, ...]
) -> None:
    actual = value_and_gradients(operation, inputs, needs_grad)
    with fl.use_backend("reference"):
        truth = value_and_gradients(operation, tuple(i.double() for i in inputs), needs_grad)
    for a, b in zip(actual, truth, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= ERROR * b.abs().max().clamp(min=1e-30)
