"""Arrays of numbers in MATLAB's files, level 5.

SciPy reads these files too, but looks up a number's type without a check, and so a damaged file can end the process.

Source: MathWorks, "MAT-file format", level 5.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files import MAX_BYTES, check_size, read_whole

START, ORDERS = 128, {b"IM": "<", b"MI": ">"}  # where elements begin; how the two bytes before that tell the order
MATRIX, COMPRESSED = 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}


class Element(NamedTuple):
    """A piece of the file: the number of its type, and its bytes."""

    kind: int
    data: memoryview


def read_mat(path: Path) -> dict[str, np.ndarray]:
    """The arrays of numbers of a file, by name; what else it holds is passed over.

    Returns:
        Arrays of the type that they are stored in, which is the smallest that holds a variable's values.

    Raises:
        ValueError: if it is no such file, or shorter than it says.
    """
    content = memoryview(read_whole(path))
    order = ORDERS.get(bytes(content[START - 2 : START]))
    if order is None:
        raise ValueError("it is no MATLAB file of level 5")
    found = {}
    for element in _elements(content[START:], order):
        if element.kind == COMPRESSED:
            element = next(_elements(_unpacked(element.data), order))
        if element.kind == MATRIX:
            parts = list(_elements(element.data, order))  # flags, sizes, name, values
            if len(parts) > 3 and {parts[1].kind, parts[3].kind} <= set(NUMBERS):
                sizes, values = (_numbers(parts[i], order) for i in (1, 3))
                found[bytes(parts[2].data).decode("ascii")] = _array(sizes, values)
    return found


def _elements(content: memoryview, order: str) -> Iterator[Element]:
    """The elements one after the other: type and size in 8 bytes, then the content; a short one whole in 8 bytes."""
    at = 0
    while at < len(content):
        kind, size = (int(word) for word in np.frombuffer(content[at : at + 8], f"{order}u4"))
        start, short = at + 8, kind >> 16
        if short:
            kind, size, start = kind & 0xFFFF, min(short, 4), at + 4
        at = start + size
        if at > len(content):
            raise ValueError(f"it ends before an element of {size} bytes does")
        yield Element(kind, content[start:at])
        if kind != COMPRESSED:
            at += -at % 8


def _unpacked(packed: memoryview) -> memoryview:
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(packed, MAX_BYTES)
    if not unpacker.eof:
        raise ValueError(f"what is packed in it is cut off, or unpacks to more than {MAX_BYTES} bytes")
    return memoryview(content)


def _numbers(element: Element, order: str) -> np.ndarray:
    return np.frombuffer(element.data, order + NUMBERS[element.kind])


def _array(shape: np.ndarray, values: np.ndarray) -> np.ndarray:
    if shape.dtype.kind != "i" or (shape < 0).any():
        raise ValueError(f"sizes must be integers >= 0; got {shape.tolist()}")
    check_size(shape.tolist(), values.itemsize)
    return values.reshape(shape.tolist(), order="F")
