"""Native module: loader, and the C++ shared by the engines."""

import functools
import importlib
import importlib.util
from types import ModuleType

import torch

# In the order of Dtype in native/dtype.hpp.
DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


@functools.cache
def module() -> ModuleType | None:
    """Return the compiled module, None if it was not built. A build that exists but is broken raises."""
    if importlib.util.find_spec("fastlatent._native") is None:
        return None
    return importlib.import_module("fastlatent._native")


def unavailable() -> str | None:
    """Return why the native kernels cannot run on this machine; None if they can."""
    if module() is None:
        return "the native module was not built (no C++ compiler at installation)"
    return None
