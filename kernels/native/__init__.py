"""What the native code shares: vector type, workspace, choice of instruction set, bindings; and its loader."""

import functools
import importlib
import importlib.util
from types import ModuleType


@functools.cache
def library() -> ModuleType | None:
    """The compiled module, or None where it was not built. A build that is there but broken raises."""
    if importlib.util.find_spec("fastlatent._native") is None:
        return None
    return importlib.import_module("fastlatent._native")


def unavailable() -> str | None:
    """Why the native kernels cannot serve on this machine; None when they can."""
    if library() is None:
        return "the native module was not built (no C++ compiler when fastlatent was installed)"
    return None
