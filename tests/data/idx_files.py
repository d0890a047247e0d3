"""Writer of the IDX format of MNIST."""

import struct

import numpy as np


def idx(values: np.ndarray) -> bytes:
    """An array of unsigned bytes as an IDX file: magic number, big-endian sizes, values."""
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()
