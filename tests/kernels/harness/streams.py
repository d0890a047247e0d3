"""Calls of a loss from a captured graph and on two streams: what the tests of every engine ask of a CUDA device."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tests.truth.cases import leaves, with_gradients

Result = tuple[Tensor, ...]  # value and gradients by every input


def replayed(loss: Callable[..., Tensor], *inputs: Tensor) -> tuple[Result, Result]:
    """What a captured call gives when it is replayed after its inputs have changed, and what a call gives then."""
    inputs = tuple(leaves(*inputs))
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        with_gradients(loss, *inputs)  # compiles, and keeps what is kept
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value = loss(*inputs)
        gradients = torch.autograd.grad(value, inputs)
    with torch.no_grad():
        for z in inputs:
            z.copy_(torch.randn_like(z))  # in another order too
    graph.replay()
    return (value.detach(), *gradients), with_gradients(loss, *inputs)


def on_two_streams(loss: Callable[..., Tensor], first: Sequence[Tensor], second: Sequence[Tensor]) -> list[Result]:
    """What twenty calls give, in turn with the first inputs on one stream and with the second on another."""
    streams = torch.cuda.Stream(), torch.cuda.Stream()
    torch.cuda.synchronize()
    found = []
    for _ in range(10):
        for stream, inputs in zip(streams, (first, second), strict=True):
            with torch.cuda.stream(stream):
                found.append(with_gradients(loss, *inputs))
    torch.cuda.synchronize()
    return found
