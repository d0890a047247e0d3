"""Availability of the backends on this machine, for each engine."""

import torch

from . import gpu, native, pairwise, sliced, spectral
from .sliced.cuda import launch as cuda

ENGINES = {"pairwise": pairwise.BACKENDS, "sliced": sliced.BACKENDS, "spectral": spectral.BACKENDS}


def report() -> dict[str, str]:
    """Return a row for each backend, why it is available or not, and a row for each engine: its available backends."""
    reasons = unavailable_reasons()
    details = {
        "cpu": "" if reasons["cpu"] else _instruction_sets(),
        "lapack": "spectral engine: large matrices",
        "matmul": "spectral engine: CUDA tensors, by torch.matmul",
        "triton": f"float32 matmul in {gpu.input_precision()}",
        "cuda": "sliced engine: radix sorts",
    }
    rows = {
        f"backend {name}": f"no: {reasons[name]}" if reasons[name] else f"yes ({details[name]})" for name in details
    }
    for engine, backends in ENGINES.items():
        rows[f"engine {engine}"] = ", ".join(name for name in backends if not reasons[name])
    return rows


def unavailable_reasons() -> dict[str, str | None]:
    """Return for each backend why no call can run on it on this machine; None if calls can."""
    no_device = None if torch.cuda.is_available() else "no CUDA device"
    return {
        "reference": None,
        "cpu": native.unavailable() or _isa_error(),
        "lapack": None,
        "matmul": no_device,
        "triton": no_device or gpu.unavailable(torch.cuda.current_device()),
        "cuda": cuda.unavailable() or no_device,
    }


def _isa_error() -> str | None:
    """Return the error of native calls if FASTLATENT_CPU_ISA names a set that is not available; else None."""
    try:
        _instruction_sets()
    except ValueError as error:
        return str(error)
    return None


def _instruction_sets() -> str:
    module = native.module()
    assert module is not None  # checked by native.unavailable
    return f"{module.isa()}; available: {', '.join(module.isas())}"
