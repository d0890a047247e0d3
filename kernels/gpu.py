"""GPU support shared by the engines: availability of Triton, float32 matmul precision, device properties.

Nothing here imports Triton: the engines import their kernels at the first launch.
"""

import contextlib
import functools
import importlib.util
import os
from collections.abc import Iterator

import torch
from torch import Tensor

from .precision import autocast_disabled

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
MIN_CAPABILITY = (8, 0)  # TF32 and bfloat16 matrix units
MAX_REGISTERS = 255  # per thread; without this limit the assembler aims at 128 and spills


def unsupported_reason(x: Tensor) -> str | None:
    """Return why Triton does not support tensors like x; None if it does. Its interpreter supports CPU tensors."""
    if not x.is_cuda and not (x.is_cpu and interpreted()):
        return f"the tensors are on {x.device}"
    if x.dtype not in DTYPES:
        return f"it computes in float32; the tensors are {x.dtype}"
    return unavailable(x.get_device()) if x.is_cuda else None


def interpreted() -> bool:
    """Return whether Triton interprets its kernels instead of compiling them: TRITON_INTERPRET=1 at its import."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@functools.cache
def unavailable(device: int) -> str | None:
    """Return why Triton does not support that CUDA device; None if it does."""
    if torch.version.cuda is None:
        return "this PyTorch is not built for CUDA"
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed (pip install 'fastlatent[gpu]')"
    capability = torch.cuda.get_device_capability(device)
    if capability < MIN_CAPABILITY:
        actual, minimum = (".".join(map(str, c)) for c in (capability, MIN_CAPABILITY))
        return f"the device has compute capability {actual}; the minimum is {minimum}"
    return None


def input_precision() -> str:
    """Return the precision of tl.dot in float32: "tf32x3", all but the last two bits; "tf32" if PyTorch allows it.

    `torch.set_float32_matmul_precision("high")` allows it, as it does in torch.mm.
    """
    return "tf32x3" if torch.get_float32_matmul_precision() == "highest" else "tf32"


def num_sms(x: Tensor) -> int:
    """Return the number of multiprocessors of the device of x, over which small problems are split."""
    return _num_sms(x.get_device()) if x.is_cuda else 4  # under the interpreter: enough to split small problems


def has_tensor_memory(x: Tensor) -> bool:
    """Return whether the device of x accumulates matmuls in tensor memory: compute capability 10 and later.

    Tensor memory has 512 columns, and each matmul accumulated in one loop occupies columns of its own.
    """
    return x.is_cuda and _has_tensor_memory(x.get_device())


@functools.cache
def _has_tensor_memory(device: int) -> bool:
    return torch.cuda.get_device_capability(device) >= (10, 0)


@functools.cache
def _num_sms(device: int) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count


@contextlib.contextmanager
def on_device_of(x: Tensor) -> Iterator[None]:
    """Make the device of x current and switch autocast off, for the launches of a call."""
    with torch.cuda.device_of(x), autocast_disabled(x):
        yield
