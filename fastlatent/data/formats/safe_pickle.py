"""Arrays out of pickles that anyone may have written: nothing of a pickle's choice is imported or called."""

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
REPEATS = 24  # an array of values needs few; tuples of the same tuples, over and over, take for ever to hash
NUMBERS = re.compile(r"[|<>=]?([buif])([1248])")


def read_pickle(data: bytes | bytearray) -> dict[str, Any]:
    """What a pickled dictionary holds: numbers, strings, lists, and arrays of numbers.

    Args:
        data: the pickle, of Python 2 or 3, protocol 2 to 4.

    Returns:
        Its values by key; arrays as NumPy arrays that cannot be written to.

    Raises:
        ValueError: if it is no such dictionary, whatever else it asks for; nothing of that is done.
    """
    try:
        _check(data)
        made = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a hostile stream can set off any
        raise ValueError(f"not a pickled dictionary of arrays: {error or type(error).__name__}") from error
    if not isinstance(made, dict):
        raise ValueError(f"not a pickled dictionary of arrays, but a {type(made).__name__}")
    return {_text(key): value.values if isinstance(value, _Array) else value for key, value in made.items()}


def _check(data: bytes | bytearray) -> None:
    """Require opcodes that arrays need, not more repeats than they need, and no memory for what is not there."""
    repeats, allowed = 0, set(OPCODES.split())
    for opcode, argument, position in pickletools.genops(data):
        if opcode.name not in allowed:
            raise ValueError(f"{opcode.name} at byte {position} is not needed for arrays")
        if opcode.name == "LONG_BINPUT" and (argument or 0) > len(data):
            raise ValueError(f"it numbers an object {argument}, but has {len(data)} bytes")
        repeats += opcode.name in ("BINGET", "LONG_BINGET")
        if repeats > REPEATS:
            raise ValueError(f"it repeats itself more than {REPEATS} times")


class _Array:
    """Stands for a pickled numpy.ndarray, until its bytes are known to fit its shape."""

    def __init__(self, *_: object) -> None:
        self.values = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        if not isinstance(data, bytes) or not isinstance(dtype, _Dtype) or min(shape, default=0) < 0:
            raise ValueError("an array must be a shape, a type of numbers, and their bytes")
        if math.prod(shape) * dtype.numbers.itemsize != len(data):
            raise ValueError(f"an array of shape {shape} of {dtype.numbers} does not fit {len(data)} bytes")
        self.values = np.frombuffer(data, dtype.numbers).reshape(shape, order="F" if fortran else "C")


class _Dtype:
    """Stands for a pickled numpy.dtype of numbers."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        if not NUMBERS.fullmatch(_text(code)):
            raise ValueError(f"an array must be of numbers; got type {_text(code)!r}")
        self.numbers = np.dtype(_text(code))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = _text(state[1])
        if order not in ("|", "<", ">", "="):
            raise ValueError(f"an array's byte order must be one of | < > =; got {order!r}")
        self.numbers = np.dtype(order + self.numbers.str[1:])


class _Unpickler(pickle.Unpickler):
    """Knows the three names that a pickled array needs, and these it takes for stand-ins."""

    def find_class(self, module: str, name: str) -> Any:
        arrays = {"_reconstruct": _Array, "ndarray": _Array, "dtype": _Dtype}
        if module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray") and name in arrays:
            return arrays[name]
        raise ValueError(f"it asks for {module}.{name}; only arrays are read")


def _text(value: object) -> str:
    """A string of Python 2 or 3."""
    if isinstance(value, bytes):
        return value.decode("ascii")
    if isinstance(value, str):
        return value
    raise ValueError(f"expected a string; got {type(value).__name__}")
