"""Versions, hardware and backends of this machine."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import torch

from .kernels import availability


def configuration() -> dict[str, str]:
    """Return versions, CPU, threads, backends and CUDA device, by the labels that `show_config` prints."""
    return {
        "fastlatent": _version("fastlatent"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "triton": _version("triton"),
        "CPU": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} torch threads",
        **availability.report(),
        "CUDA device": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def show_config() -> None:
    """Print versions, CPU, threads, and the backends with the reason if one is unavailable."""
    rows = configuration()
    width = max(map(len, rows))
    sys.stdout.write("".join(f"{name:<{width}}  {value}\n" for name, value in rows.items()))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
