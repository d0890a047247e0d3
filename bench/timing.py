"""One row of a benchmark: what is timed, checked before it is timed, with the columns that every row carries."""

import ctypes
import datetime
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from fastlatent.utils.threads import torch_threads

SECONDS_A_ROW = 1.0
SLOW = 2.0  # seconds; a step that takes longer is repeated three times, not five
ALL_THREADS = os.cpu_count() or 1
THREADS = sorted({1, ALL_THREADS})


def step(loss: Callable[..., Tensor], *inputs: Tensor) -> Callable[[], None]:
    """Forward and backward to those inputs that require a gradient."""

    def run() -> None:
        for tensor in inputs:
            tensor.grad = None
        loss(*inputs).backward()

    return run


def measure(
    benchmark: Any,
    run: Callable[[], Any],
    *,
    op: str,
    who: str,
    shape: tuple[int, ...],
    threads: int = 1,
    timed: str = "forward + backward to x",
    dtype: torch.dtype = torch.float32,
    operations: float | None = None,
    parts: int = 1,
    examples: int | None = None,
) -> None:
    """Time `run` with `threads` torch threads and note the columns of its row.

    Args:
        benchmark: pytest-benchmark's fixture.
        run: the step; it has been checked to give the right numbers.
        op, who, shape, dtype, timed: what is timed; rows of one `op`, `shape` and `threads` are compared.
        threads: torch's thread count.
        operations: floating point operations of a step, where a rate is wanted.
        parts: steps in a run; the row is of one.
        examples: in a step, where a rate is wanted.
    """
    benchmark.group = f"{op} {shape}, {threads} thread{'s' * (threads > 1)}"
    with torch_threads(threads):
        memory = peak_memory(run)
        start = time.perf_counter()
        run()
        once = time.perf_counter() - start
        iterations = max(1, int(2e-3 / max(once, 1e-6)))
        rounds = min(100, max(5 if once < SLOW else 3, int(SECONDS_A_ROW / (once * iterations))))
        benchmark.pedantic(run, rounds=rounds, iterations=iterations, warmup_rounds=2 if once < 1 else 0)
    low, *_, high = statistics.quantiles(benchmark.stats.stats.data, n=5)
    median = benchmark.stats.stats.median / parts
    benchmark.extra_info.update(
        op=op, who=who, shape=list(shape), dtype=str(dtype).removeprefix("torch."), timed=timed, threads=threads,
        p20=low / parts, p50=median, p80=high / parts, peak_memory_bytes=memory,
        flops=None if operations is None else operations / median,
        examples_per_second=None if examples is None else examples / median,
        torch=torch.__version__, date=datetime.date.today().isoformat(),
    )  # fmt: skip


def assert_close(ours: Tensor, truth: Tensor, tolerance: float) -> None:
    """No speed is printed for a kernel whose numbers are wrong."""
    error = (ours.detach().double() - truth.detach().double()).norm() / truth.detach().double().norm().clamp(min=1e-30)
    assert error <= tolerance, f"relative error {error:.1e} > {tolerance:.0e}"


def peak_memory(run: Callable[[], Any]) -> int | None:
    """Bytes of memory that a second call of `run` adds at its peak; None where the kernel does not tell (not Linux)."""
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not reset.exists():
        return None
    run()
    ctypes.CDLL(None).malloc_trim(0)
    reset.write_text("5")  # sets the high-water mark back to what is resident now

    def field(name: str) -> int:
        (line,) = [line for line in status.read_text().splitlines() if line.startswith(name + ":")]
        return int(line.split()[1]) * 1024

    before = field("VmRSS")
    run()
    return max(0, field("VmHWM") - before)


def needs(module: str) -> Any:
    """The peer's module, or a skip that names it."""
    return pytest.importorskip(module, reason=f"peer {module} is not installed (pip install 'fastlatent[bench]')")
