"""Timing of one benchmark row on the CPU, with the columns of every row; callers check the numbers before."""

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

SECONDS_PER_ROW = 1.0
SLOW = 2.0  # seconds above which a step is repeated three times instead of five
ALL_THREADS = os.cpu_count() or 1
THREADS = sorted({1, ALL_THREADS})


def step(loss: Callable[..., Tensor], *inputs: Tensor) -> Callable[[], None]:
    """Return a step: forward, and backward to the inputs that require a gradient."""

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
    """Time `run` and store the columns of its row; rows of one `op`, `shape` and `threads` are compared.

    Args:
        benchmark: fixture of pytest-benchmark.
        run: the step, whose numbers the caller has checked.
        op: name of the operation.
        who: name of the implementation.
        shape: shape of the inputs.
        threads: number of torch threads.
        timed: timed part of the operation.
        dtype: dtype of the inputs.
        operations: floating point operations per step, for the rate.
        parts: steps per run; the row is of one step.
        examples: examples per step, for the rate.
    """
    benchmark.group = f"{op} {shape}, {threads} thread{'s' * (threads > 1)}"
    with torch_threads(threads):
        memory = peak_memory(run)
        start = time.perf_counter()
        run()
        duration = time.perf_counter() - start
        iterations = max(1, int(2e-3 / max(duration, 1e-6)))
        rounds = min(100, max(5 if duration < SLOW else 3, int(SECONDS_PER_ROW / (duration * iterations))))
        benchmark.pedantic(run, rounds=rounds, iterations=iterations, warmup_rounds=2 if duration < 1 else 0)
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
    """Assert that the relative error is at most `tolerance`, so that no wrong kernel is timed."""
    error = (ours.detach().double() - truth.detach().double()).norm() / truth.detach().double().norm().clamp(min=1e-30)
    assert error <= tolerance, f"relative error {error:.1e} > {tolerance:.0e}"


def peak_memory(run: Callable[[], Any]) -> int | None:
    """Return the peak memory in bytes that a second call of `run` adds; None if the system is not Linux."""
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not reset.exists():
        return None
    run()
    ctypes.CDLL(None).malloc_trim(0)
    reset.write_text("5")  # resets the high-water mark to the current resident size

    def field(name: str) -> int:
        (line,) = [line for line in status.read_text().splitlines() if line.startswith(name + ":")]
        return int(line.split()[1]) * 1024

    before = field("VmRSS")
    run()
    return max(0, field("VmHWM") - before)


def require(module: str) -> Any:
    """Import the module of a peer, or skip the benchmark with its name."""
    return pytest.importorskip(module, reason=f"peer {module} is not installed (pip install 'fastlatent[bench]')")
