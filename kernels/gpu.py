"""What the GPU backends share: when Triton serves, how float32 is multiplied, how wide the device is.

Nothing here imports Triton: the engines import their kernels when a call is about to run there.
"""

import contextlib
import functools
import importlib.util
import os
from collections.abc import Iterator

import torch
from torch import Tensor

from .autograd import full_precision

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
LEAST_CAPABILITY = (8, 0)  # TF32 and bfloat16 units
MOST_REGISTERS = 255  # of a thread: told so, the assembler does not keep to 128 and spill


def refusal(x: Tensor) -> str | None:
    """Why Triton cannot serve tensors like x; None when it can. Triton's interpreter serves tensors on a CPU."""
    if not x.is_cuda and not (x.is_cpu and interpreted()):
        return f"the tensors are on {x.device}"
    if x.dtype not in DTYPES:
        return f"it computes in float32; the tensors are {x.dtype}"
    return unavailable(x.get_device()) if x.is_cuda else None


def interpreted() -> bool:
    """Whether Triton, once imported, interprets its kernels instead of compiling them: TRITON_INTERPRET=1."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@functools.cache
def unavailable(device: int) -> str | None:
    """Why Triton cannot serve that CUDA device; None when it can."""
    if torch.version.cuda is None:
        return "this PyTorch is not built for CUDA"
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed (pip install 'fastlatent[gpu]')"
    capability = torch.cuda.get_device_capability(device)
    if capability < LEAST_CAPABILITY:
        has, least = (".".join(map(str, c)) for c in (capability, LEAST_CAPABILITY))
        return f"the device has compute capability {has}; {least} is the least"
    return None


def input_precision() -> str:
    """How tl.dot takes float32: "tf32x3", all digits but the last two; "tf32" where PyTorch was allowed to, too.

    `torch.set_float32_matmul_precision("high")` allows it, as it does in torch.mm.
    """
    return "tf32x3" if torch.get_float32_matmul_precision() == "highest" else "tf32"


def processors(x: Tensor) -> int:
    """Multiprocessors of the device that x is on, over which a small problem is spread."""
    return _processors(x.get_device()) if x.is_cuda else 4  # the interpreter has none: enough to split small problems


def tensor_memory(x: Tensor) -> bool:
    """Whether the device of x keeps what products add up in a memory of its own, as from compute capability 10 on.

    Of its 512 columns each product of a sum takes its own.
    """
    return x.is_cuda and _tensor_memory(x.get_device())


@functools.cache
def _tensor_memory(device: int) -> bool:
    return torch.cuda.get_device_capability(device) >= (10, 0)


@functools.cache
def _processors(device: int) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count


@contextlib.contextmanager
def on_device_of(x: Tensor) -> Iterator[None]:
    """A block for the kernels of a call: on the device of x, if that is not the current one, and without autocast."""
    with torch.cuda.device_of(x), full_precision((x,)):
        yield
