"""IDX format of MNIST and Fashion-MNIST: two zero bytes, type, rank, big-endian sizes, values."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

UINT8 = 0x08
MAX_BYTES = 2**30  # of values; MNIST's training images are 47 MB, a damaged header may declare any size


def read_idx(path: Path, rank: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes, gzipped or not.

    Args:
        path: path of the file; it is decompressed if its name ends in .gz.
        rank: required number of dimensions.

    Returns:
        uint8 array.

    Raises:
        ValueError: if the file has another format, or its size differs from that in its header.
    """
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as file:
        try:
            return _read(file, rank)
        except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: not a valid IDX file: {error}") from error


def _read(file: BinaryIO | gzip.GzipFile, rank: int) -> np.ndarray:
    header = file.read(4 + 4 * rank)
    if len(header) < 4 + 4 * rank:
        raise ValueError(f"the header needs {4 + 4 * rank} bytes; got {len(header)}")
    if header[:4] != bytes([0, 0, UINT8, rank]):
        expected = f"0000{UINT8:02x}{rank:02x}, unsigned bytes in {rank} dimensions"
        raise ValueError(f"the first four bytes must be {expected}; got {header[:4].hex()}")
    shape = struct.unpack(f">{rank}I", header[4:])
    size = math.prod(shape)
    if not 0 < size <= MAX_BYTES:
        raise ValueError(f"the header's sizes {shape} must give between 1 and {MAX_BYTES} values")
    values = file.read(size + 1)
    if len(values) != size:
        actual = "more" if len(values) > size else str(len(values))
        raise ValueError(f"sizes {shape} need {size} bytes of values; got {actual}")
    return np.frombuffer(values, np.uint8).reshape(shape)
