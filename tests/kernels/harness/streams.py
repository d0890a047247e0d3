"""Calls of a loss in a CUDA graph and on two streams, for the tests of every engine on a CUDA device."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tests.truth.cases import leaves, with_gradients

Result = tuple[Tensor, ...]  # value and gradients by every input


def replay_graph(loss: Callable[..., Tensor], *inputs: Tensor) -> tuple[Result, Result]:
    """Replay a captured call after its inputs have changed; return its results and those of an eager call."""
    inputs = tuple(leaves(*inputs))
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        with_gradients(loss, *inputs)  # compiles the kernels and fills the caches
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value = loss(*inputs)
        gradients = torch.autograd.grad(value, inputs)
    with torch.no_grad():
        for z in inputs:
            z.copy_(torch.randn_like(z))  # changes the order of projections, too
    graph.replay()
    return (value.detach(), *gradients), with_gradients(loss, *inputs)


def alternate_streams(loss: Callable[..., Tensor], first: Sequence[Tensor], second: Sequence[Tensor]) -> list[Result]:
    """Return the results of 20 calls, alternately of the first inputs on one stream and the second on another."""
    streams = torch.cuda.Stream(), torch.cuda.Stream()
    torch.cuda.synchronize()
    results = []
    for _ in range(10):
        for stream, inputs in zip(streams, (first, second), strict=True):
            with torch.cuda.stream(stream):
                results.append(with_gradients(loss, *inputs))
    torch.cuda.synchronize()
    return results
