"""Numeric arrays in MATLAB's files, level 5.

SciPy's reader does not check the type of an element, so that a damaged file can crash the process.

Source: MathWorks, "MAT-file format", level 5.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files import MAX_BYTES, check_size, read_bounded

HEADER_SIZE, BYTE_ORDERS = 128, {b"IM": "<", b"MI": ">"}  # the last two bytes of the header give the byte order
MATRIX, COMPRESSED = 14, 15
DTYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}


class Element(NamedTuple):
    """Data element: type code and content."""

    kind: int
    data: memoryview


def read_mat(path: Path) -> dict[str, np.ndarray]:
    """Read the numeric arrays of a file; other variables are ignored.

    Args:
        path: path of the file.

    Returns:
        Arrays by name, in their storage type, the smallest one that represents the values.

    Raises:
        ValueError: if the file has another format or is truncated.
    """
    content = memoryview(read_bounded(path))
    order = BYTE_ORDERS.get(bytes(content[HEADER_SIZE - 2 : HEADER_SIZE]))
    if order is None:
        raise ValueError("it is not a MATLAB file of level 5")
    arrays = {}
    for element in _elements(content[HEADER_SIZE:], order):
        if element.kind == COMPRESSED:
            element = next(_elements(_decompress(element.data), order))
        if element.kind == MATRIX:
            parts = list(_elements(element.data, order))  # flags, sizes, name, values
            if len(parts) > 3 and {parts[1].kind, parts[3].kind} <= set(DTYPES):
                sizes, values = (_numbers(parts[i], order) for i in (1, 3))
                arrays[bytes(parts[2].data).decode("ascii")] = _reshape(sizes, values)
    return arrays


def _elements(content: memoryview, order: str) -> Iterator[Element]:
    """Iterate over elements: type and size in 8 bytes, then the content; a short element has 8 bytes in total."""
    position = 0
    while position < len(content):
        kind, size = (int(word) for word in np.frombuffer(content[position : position + 8], f"{order}u4"))
        start, short_size = position + 8, kind >> 16
        if short_size:
            kind, size, start = kind & 0xFFFF, min(short_size, 4), position + 4
        position = start + size
        if position > len(content):
            raise ValueError(f"it ends within an element of {size} bytes")
        yield Element(kind, content[start:position])
        if kind != COMPRESSED:
            position += -position % 8


def _decompress(compressed: memoryview) -> memoryview:
    decompressor = zlib.decompressobj()
    content = decompressor.decompress(compressed, MAX_BYTES)
    if not decompressor.eof:
        raise ValueError(f"a compressed element is truncated, or expands to more than {MAX_BYTES} bytes")
    return memoryview(content)


def _numbers(element: Element, order: str) -> np.ndarray:
    return np.frombuffer(element.data, order + DTYPES[element.kind])


def _reshape(shape: np.ndarray, values: np.ndarray) -> np.ndarray:
    if shape.dtype.kind != "i" or (shape < 0).any():
        raise ValueError(f"sizes must be integers >= 0; got {shape.tolist()}")
    check_size(shape.tolist(), values.itemsize)
    return values.reshape(shape.tolist(), order="F")
