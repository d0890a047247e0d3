"""Allocator settings."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # option numbers in glibc's malloc.h
THRESHOLD = 2**30  # bytes, more than the activations of a training step


def tune_glibc_allocator() -> None:
    """Make glibc's malloc reuse freed memory instead of returning it to the operating system.

    Every training step allocates the same activations. By default glibc unmaps large freed blocks, and the system
    clears each page again at its next use. Without glibc this does nothing.

    Source: the GNU C Library's manual, section 3.2.3.7, "Malloc Tunable Parameters".
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, THRESHOLD)
        mallopt(TRIM_THRESHOLD, THRESHOLD)
