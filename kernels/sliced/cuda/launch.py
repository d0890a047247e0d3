"""The CUDA C++ backend of the sliced engine: triton.py's pipeline with the radix sorts of sort.cu.

sort.cu is compiled with the package where nvcc is found, into a library of its own that needs no torch.
"""

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ... import gpu

LIBRARY = "libfastlatent_cuda.so"


def refusal(x: Tensor) -> str | None:
    """Why this backend cannot serve tensors like x; None when it can."""
    return (gpu.refusal(x) or unavailable()) if x.is_cuda else f"the tensors are on {x.device}"


def unavailable() -> str | None:
    """Why the compiled sorts cannot serve on this machine; None when they can."""
    return None if library() else "the CUDA library was not built (no nvcc when fastlatent was installed)"


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled library, or None where it was not built. A build that is there but broken raises."""
    import fastlatent

    path = Path(fastlatent.__file__).with_name(LIBRARY)
    return load(path) if path.exists() else None


def load(path: Path) -> ctypes.CDLL:
    """The library in that file, with the signatures of its functions."""
    loaded = ctypes.CDLL(str(path))
    size, address = ctypes.c_int64, ctypes.c_void_p
    loaded.fastlatent_sort_workspace.argtypes = [size, size, ctypes.c_bool]
    loaded.fastlatent_sort_workspace.restype = size
    loaded.fastlatent_sort_columns.argtypes = [address, address, size, size, ctypes.c_bool, address, size, address]
    loaded.fastlatent_sort_columns.restype = ctypes.c_char_p
    return loaded


def sliced(inputs: Sequence[Tensor], needs: Sequence[bool], p: float, normal: bool) -> tuple[Tensor, ...]:
    """Value and gradients of `SlicedForm`: see there."""
    from ..triton import launch as triton

    return triton.sliced(inputs, needs, p, normal, sort=sorted_keys)


def sorted_keys(columns: Tensor, indexed: bool) -> Tensor:
    """Sorted keys of the columns (..., n): 64-bit with their rows if `indexed`, otherwise 32-bit, values only."""
    code = library()
    assert code is not None  # refusal() has said so otherwise
    n, many = columns.shape[-1], columns.numel() // columns.shape[-1]
    keys = torch.empty_like(columns, dtype=torch.int64 if indexed else torch.int32)
    room = code.fastlatent_sort_workspace(many, n, indexed)
    if room < 0:
        raise RuntimeError("CUB could not say how much memory a sort takes")
    workspace = columns.new_empty(room, dtype=torch.uint8)
    failure = code.fastlatent_sort_columns(
        columns.data_ptr(), keys.data_ptr(), many, n, indexed, workspace.data_ptr(), room,
        torch.cuda.current_stream(columns.device).cuda_stream,
    )  # fmt: skip
    if failure:
        raise RuntimeError(f"the CUDA sort failed: {failure.decode()}")
    return keys
