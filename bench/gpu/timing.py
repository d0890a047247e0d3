"""Timing of one benchmark row on a GPU: a checked loss, by CUDA events, eager and in a CUDA graph."""

import importlib
import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.timing import step

Loss = Callable[..., Tensor]
Step = Callable[[], Any]

SECONDS_PER_ROW = 0.5
MAX_INPUT_SETS = 256  # inputs so small that these fit in the cache stay there in training too


@dataclass(frozen=True)
class Case:
    """A loss and its peers on inputs of one shape.

    Args:
        op: name of the operation.
        shape: shape of the inputs.
        losses: functions of the inputs by implementation, "fastlatent" among them.
        inputs: draws new inputs on the CUDA device; gradients are computed for those that require one.
        check: raises if fastlatent's numbers are wrong; nothing is timed then.
        operations: floating point operations of a step, for its share of the matmul rate.
        traffic: minimal bytes that a step reads and writes, for its share of the copy bandwidth.
        timed: timed part of the operation.
        eager_only: implementations not captured in a graph, because they synchronize with the host.
    """

    op: str
    shape: tuple[int, ...]
    losses: Mapping[str, Loss]
    inputs: Callable[[], Sequence[Tensor]]
    check: Callable[[], None]
    operations: float | None = None
    traffic: float | None = None
    timed: str = "forward + backward to x"
    eager_only: frozenset[str] = field(default_factory=frozenset)


def rows(case: Case) -> list[dict[str, Any]]:
    """Check and time a case, and return its rows."""
    case.check()
    return [_row(case, who, loss) for who, loss in case.losses.items()]


def installed(module: str) -> Any | None:
    """Import the module of a peer; None if it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def ceilings() -> dict[str, float]:
    """Measure this device: bytes/s of a copy (read and written), FLOP/s of a large matmul by input dtype."""
    data = torch.randn(2**28, device="cuda")
    to = torch.empty_like(data)
    rates = {"copy": 2 * data.nbytes / _times([lambda: to.copy_(data)])["p50"]}
    before = torch.get_float32_matmul_precision()
    for name, dtype, precision in (
        ("float32", torch.float32, "highest"), ("tf32", torch.float32, "high"), ("bfloat16", torch.bfloat16, "high"),
    ):  # fmt: skip
        a, b = (torch.randn(8192, 8192, device="cuda", dtype=dtype) for _ in range(2))
        torch.set_float32_matmul_precision(precision)
        rates[name] = 2 * 8192.0**3 / _times([partial(torch.mm, a, b)])["p50"]
    torch.set_float32_matmul_precision(before)
    return rates


def _row(case: Case, who: str, loss: Loss) -> dict[str, Any]:
    sets = _input_sets(case.inputs)
    steps = [_step(loss, inputs) for inputs in sets]
    row: dict[str, Any] = {
        "op": case.op, "who": who, "shape": list(case.shape), "dtype": str(sets[0][0].dtype).removeprefix("torch."),
        "timed": case.timed, "operations": case.operations, "traffic": case.traffic,
        "peak_memory_bytes": _peak_memory(steps[0]), "eager": _times(steps),
        "graph": None if who in case.eager_only else _times([_capture(steps)], steps=len(steps)),
    }  # fmt: skip
    return row


def _step(loss: Loss, inputs: Sequence[Tensor]) -> Step:
    """Return a step: forward, and backward if an input requires a gradient."""
    if any(i.requires_grad for i in inputs):
        return step(lambda *inputs: loss(*inputs).sum(), *inputs)
    return partial(loss, *inputs)


def _input_sets(inputs: Callable[[], Sequence[Tensor]]) -> list[Sequence[Tensor]]:
    """Return enough sets of inputs that, after a pass over all of them, the first is no longer in the L2 cache."""
    first = inputs()
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    count = min(MAX_INPUT_SETS, 1 + math.ceil(cache / sum(i.nbytes for i in first)))
    return [first, *(inputs() for _ in range(count - 1))]


def _capture(steps: Sequence[Step]) -> Step:
    """Capture all steps in one CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for run in itertools.islice(itertools.cycle(steps), 3):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for run in steps:
            run()
    return graph.replay


def _times(runs: Sequence[Step], steps: int | None = None) -> dict[str, float]:
    """Return the 20th, 50th and 80th percentile of the seconds per step, over passes of `steps` steps."""
    steps = steps or len(runs)

    def one_pass() -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for run in runs:
            run()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) * 1e-3 / steps

    for _ in range(3):  # compilation, allocation, clocks
        duration = one_pass()
    times = [one_pass() for _ in range(min(100, max(5, int(SECONDS_PER_ROW / (duration * steps)))))]
    low, *_, high = statistics.quantiles(times, n=5)
    return {"p20": low, "p50": statistics.median(times), "p80": high}


def _peak_memory(run: Step) -> int:
    """Return the peak memory in bytes that a second call of `run` adds."""
    run()
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before
