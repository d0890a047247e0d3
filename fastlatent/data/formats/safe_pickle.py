"""Arrays from untrusted pickles: no name in a pickle is imported or called."""

import io
import math
import pickle
import pickletools
import re
from typing import Any

import numpy as np

OPCODES = """
    PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2
    SHORT_BINSTRING BINSTRING SHORT_BINBYTES BINBYTES SHORT_BINUNICODE BINUNICODE
    EMPTY_DICT SETITEM SETITEMS EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD
"""
MAX_REFERENCES = 24  # arrays need few; nested tuples of the same tuple take exponential time to hash
NUMERIC_DTYPE = re.compile(r"[|<>=]?([buif])([1248])")


def read_pickle(data: bytes | bytearray) -> dict[str, Any]:
    """Read a pickled dictionary of numbers, strings, lists, and numeric arrays.

    Args:
        data: pickle of Python 2 or 3, protocol 2 to 4.

    Returns:
        Values by key; arrays as read-only NumPy arrays.

    Raises:
        ValueError: if the pickle has anything else; nothing in it is executed.
    """
    try:
        _check(data)
        content = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a malicious stream can raise any exception
        raise ValueError(f"not a pickled dictionary of arrays: {error or type(error).__name__}") from error
    if not isinstance(content, dict):
        raise ValueError(f"not a pickled dictionary of arrays, but a {type(content).__name__}")
    return {_text(key): value.values if isinstance(value, _Array) else value for key, value in content.items()}


def _check(data: bytes | bytearray) -> None:
    """Require only the opcodes and the number of references that arrays need, and bounded memory."""
    references, allowed = 0, set(OPCODES.split())
    for opcode, argument, position in pickletools.genops(data):
        if opcode.name not in allowed:
            raise ValueError(f"{opcode.name} at byte {position} is not needed for arrays")
        if opcode.name == "LONG_BINPUT" and (argument or 0) > len(data):
            raise ValueError(f"it numbers an object {argument}, but has {len(data)} bytes")
        references += opcode.name in ("BINGET", "LONG_BINGET")
        if references > MAX_REFERENCES:
            raise ValueError(f"it refers to earlier objects more than {MAX_REFERENCES} times")


class _Array:
    """Replacement of a pickled numpy.ndarray, which validates its size."""

    def __init__(self, *_: object) -> None:
        self.values = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        if not isinstance(data, bytes) or not isinstance(dtype, _Dtype) or min(shape, default=0) < 0:
            raise ValueError("an array must be a shape, a numeric dtype, and bytes")
        if math.prod(shape) * dtype.value.itemsize != len(data):
            raise ValueError(f"an array of shape {shape} of {dtype.value} does not fit {len(data)} bytes")
        self.values = np.frombuffer(data, dtype.value).reshape(shape, order="F" if fortran else "C")


class _Dtype:
    """Replacement of a pickled numeric numpy.dtype."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        if not NUMERIC_DTYPE.fullmatch(_text(code)):
            raise ValueError(f"an array must be numeric; got dtype {_text(code)!r}")
        self.value = np.dtype(_text(code))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = _text(state[1])
        if order not in ("|", "<", ">", "="):
            raise ValueError(f"an array's byte order must be one of | < > =; got {order!r}")
        self.value = np.dtype(order + self.value.str[1:])


class _Unpickler(pickle.Unpickler):
    """Unpickler that resolves the three names of a pickled array only, each to its replacement."""

    def find_class(self, module: str, name: str) -> Any:
        arrays = {"_reconstruct": _Array, "ndarray": _Array, "dtype": _Dtype}
        if module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray") and name in arrays:
            return arrays[name]
        raise ValueError(f"it refers to {module}.{name}; only arrays are read")


def _text(value: object) -> str:
    """Return a string of Python 2 or 3."""
    if isinstance(value, bytes):
        return value.decode("ascii")
    if isinstance(value, str):
        return value
    raise ValueError(f"expected a string; got {type(value).__name__}")
