"""What becomes of memory that is freed."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # numbers of options in glibc's malloc.h
KEPT = 2**30  # bytes: more than the activations of a step


def tune_glibc_allocator() -> None:
    """Keep freed memory of this process for its next allocations, instead of handing it back to the system.

    Every training step allocates the activations of the one before. By default glibc hands large ones back when they
    are freed, and the system clears each page again when it is touched. Does nothing where there is no glibc.

    Source: the GNU C Library's manual, section 3.2.3.7, "Malloc Tunable Parameters".
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, KEPT)
        mallopt(TRIM_THRESHOLD, KEPT)
