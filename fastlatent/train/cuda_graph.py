"""Training step captured as a CUDA graph, which launches all kernels of the step at once."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from ..data.batch import Batch

WARMUP_STEPS = 3  # eager steps before the capture, in which optimizers and libraries allocate their buffers

Step = Callable[[Sequence[Batch]], Sequence[Mapping[str, Tensor]]]


class CUDAGraphStep:
    """A training step that is captured after some eager steps, then replayed with the updated weights and RNG state.

    Args:
        step: function of the batches of all phases, on a CUDA device and of constant shape, that returns the loss terms
            of each phase. It must not synchronize with the host.
    """

    def __init__(self, step: Step) -> None:
        self.step, self.remaining_eager_steps = step, WARMUP_STEPS
        self.graph: torch.cuda.CUDAGraph | None = None
        self.batches: list[Batch] = []
        self.terms: Sequence[Mapping[str, Tensor]] = ()

    def __call__(self, batches: Sequence[Batch]) -> Sequence[Mapping[str, Tensor]]:
        """Run one step; the next step overwrites the returned terms.

        Raises:
            RuntimeError: if the step synchronizes with the host and so cannot be captured.
        """
        if self.remaining_eager_steps:
            self.remaining_eager_steps -= 1
            return self._run_on_side_stream(batches)
        if self.graph is None:
            self._capture(batches)
        for buffer, batch in zip(self.batches, batches, strict=True):
            buffer.x.copy_(batch.x)
            buffer.label.copy_(batch.label)
        self.graph.replay()  # type: ignore[union-attr]
        return self.terms

    def _run_on_side_stream(self, batches: Sequence[Batch]) -> Sequence[Mapping[str, Tensor]]:
        """Run an eager step on a side stream, as the capture does."""
        current, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(current)
        with torch.cuda.stream(side):
            terms = self.step(batches)
        current.wait_stream(side)
        return terms

    def _capture(self, batches: Sequence[Batch]) -> None:
        """Capture the step as a graph; nothing is computed yet."""
        self.batches = [Batch(batch.x.clone(), batch.label.clone()) for batch in batches]
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self.terms = self.step(self.batches)
        except RuntimeError as error:
            raise RuntimeError(f"this model's step cannot be captured; train without cuda_graph ({error})") from error
        self.graph = graph
