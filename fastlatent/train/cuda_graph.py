"""A training step captured as a CUDA graph: its kernels are launched at once, without Python's share of the time."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ..data.batch import Batch

WARM_UP = 3  # usual steps before the capture, in which optimizers and libraries allocate what they keep

Step = Callable[[Sequence[Batch]], Sequence[Mapping[str, Tensor]]]


class CUDAGraphStep:
    """A step that is captured after some usual ones, and replayed from then on with what it moved and drew going on.

    Args:
        step: from the batch of each phase, on a CUDA device and always of one shape, to the terms of each. It must not
            wait for the device.
    """

    def __init__(self, step: Step) -> None:
        self.step, self.usual = step, WARM_UP
        self.graph: torch.cuda.CUDAGraph | None = None
        self.batches: list[Batch] = []
        self.terms: Sequence[Mapping[str, Tensor]] = ()

    def __call__(self, batches: Sequence[Batch]) -> Sequence[Mapping[str, Tensor]]:
        """One step; the terms are overwritten by the next.

        Raises:
            RuntimeError: if the step waits for the device, and so cannot be captured.
        """
        if self.usual:
            self.usual -= 1
            return self._on_another_stream(batches)
        if self.graph is None:
            self._capture(batches)
        for mine, given in zip(self.batches, batches, strict=True):
            mine.x.copy_(given.x)
            mine.label.copy_(given.label)
        self.graph.replay()  # type: ignore[union-attr]
        return self.terms

    def _on_another_stream(self, batches: Sequence[Batch]) -> Sequence[Mapping[str, Tensor]]:
        """A usual step, where the capture will be."""
        here, stream = torch.cuda.current_stream(), torch.cuda.Stream()
        stream.wait_stream(here)
        with torch.cuda.stream(stream):
            terms = self.step(batches)
        here.wait_stream(stream)
        return terms

    def _capture(self, batches: Sequence[Batch]) -> None:
        """Record the step; nothing is computed yet."""
        self.batches = [Batch(batch.x.clone(), batch.label.clone()) for batch in batches]
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self.terms = self.step(self.batches)
        except RuntimeError as error:
            raise RuntimeError(f"this model's step cannot be captured; train without cuda_graph ({error})") from error
        self.graph = graph
