"""CUDA C++ backend of the sliced engine: the launches of triton/launch.py with the radix sorts of sort.cu.

sort.cu is compiled with the package if nvcc is found, into a shared library that does not need torch.
"""

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ... import gpu

LIBRARY = "libfastlatent_cuda.so"


def unsupported_reason(x: Tensor) -> str | None:
    """Return why this backend does not support tensors like x; None if it does."""
    if not x.is_cuda:
        return f"the tensors are on {x.device}"
    return gpu.unsupported_reason(x) or unavailable()


def unavailable() -> str | None:
    """Return why the compiled sorts cannot run on this machine; None if they can."""
    return None if library() else "the CUDA library was not built (no nvcc at installation)"


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the shared library, None if it was not built. A build that exists but is broken raises."""
    import fastlatent

    path = Path(fastlatent.__file__).with_name(LIBRARY)
    return load(path) if path.exists() else None


def load(path: Path) -> ctypes.CDLL:
    """Load a shared library and declare the signatures of its functions."""
    library = ctypes.CDLL(str(path))
    size, address = ctypes.c_int64, ctypes.c_void_p
    library.fastlatent_sort_workspace.argtypes = [size, size, ctypes.c_bool]
    library.fastlatent_sort_workspace.restype = size
    library.fastlatent_sort_columns.argtypes = [address, address, size, size, ctypes.c_bool, address, size, address]
    library.fastlatent_sort_columns.restype = ctypes.c_char_p
    return library


def sliced(inputs: Sequence[Tensor], needs_grad: Sequence[bool], p: float, normal: bool) -> tuple[Tensor, ...]:
    """Compute value and gradients of a `SlicedDistance`."""
    from ..triton import launch as triton

    return triton.sliced(inputs, needs_grad, p, normal, sort=sorted_keys)


def sorted_keys(columns: Tensor, indexed: bool) -> Tensor:
    """Return the sorted keys of columns (..., n): 64-bit with their rows if `indexed`, else 32-bit values only."""
    sorts = library()
    assert sorts is not None  # checked by unsupported_reason
    n, num_columns = columns.shape[-1], columns.numel() // columns.shape[-1]
    keys = torch.empty_like(columns, dtype=torch.int64 if indexed else torch.int32)
    workspace_size = sorts.fastlatent_sort_workspace(num_columns, n, indexed)
    if workspace_size < 0:
        raise RuntimeError("CUB reported no workspace size for a sort")
    workspace = columns.new_empty(workspace_size, dtype=torch.uint8)
    error = sorts.fastlatent_sort_columns(
        columns.data_ptr(), keys.data_ptr(), num_columns, n, indexed, workspace.data_ptr(), workspace_size,
        torch.cuda.current_stream(columns.device).cuda_stream,
    )  # fmt: skip
    if error:
        raise RuntimeError(f"the CUDA sort failed: {error.decode()}")
    return keys
