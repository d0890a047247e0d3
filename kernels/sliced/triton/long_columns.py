"""Triton kernels for columns too long for one program: sorted in chunks, merged in place, coupled chunk by chunk.

The network is Batcher's bitonic sort with a mirrored first step, so every part of it sorts in ascending order: padding
beyond the end of a column counts as maximal, never moves, and needs no memory.
"""

import triton
import triton.language as tl

from .columns import LAST_KEY, couple, key_rows, key_values, sort_keys


@triton.jit
def sort_chunks(values, keys, n, chunks, INDEXED: tl.constexpr, SIZE: tl.constexpr):
    """Compute the keys of columns (columns, n), with each chunk of SIZE sorted."""
    column = (tl.program_id(0) // chunks).to(tl.int64)
    rows = tl.program_id(0) % chunks * SIZE + tl.arange(0, SIZE)
    sorted_chunk = tl.sort(sort_keys(tl.load(values + column * n + rows, rows < n, 0.0), rows, n, INDEXED))
    tl.store(keys + column * n + rows, sorted_chunk, rows < n)


@triton.jit
def merge_step(keys, n, span, blocks, MIRRORED: tl.constexpr, SIZE: tl.constexpr):
    """Order the pairs of one step in place: in each `span`, i and i + span/2; MIRRORED: i and span − 1 − i."""
    column = (tl.program_id(0) // blocks).to(tl.int64)
    pair = (tl.program_id(0) % blocks).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    half = span // 2
    base = pair // half * span
    left = base + pair % half
    right = base + span - 1 - pair % half if MIRRORED else left + half
    inside = right < n
    a = tl.load(keys + column * n + left, inside)
    b = tl.load(keys + column * n + right, inside)
    tl.store(keys + column * n + left, tl.minimum(a, b), inside)
    tl.store(keys + column * n + right, tl.maximum(a, b), inside)


@triton.jit
def merge_chunks(keys, n, chunks, SIZE: tl.constexpr):
    """Apply the steps of a merge that stay within chunks."""
    column = (tl.program_id(0) // chunks).to(tl.int64)
    rows = tl.program_id(0) % chunks * SIZE + tl.arange(0, SIZE)
    last = LAST_KEY if keys.dtype.element_ty == tl.int32 else LAST_KEY << 32
    bitonic = tl.load(keys + column * n + rows, rows < n, last)
    tl.store(keys + column * n + rows, tl.bitonic_merge(bitonic), rows < n)


@triton.jit
def couple_chunks(
    keys,
    others,
    slopes,
    values,
    n,
    m,
    chunks,
    others_stride,
    scale,
    P: tl.constexpr,
    NORMAL: tl.constexpr,
    EQUAL: tl.constexpr,
    SLOPE: tl.constexpr,
    SIZE: tl.constexpr,
):
    """Couple sorted columns with sorted keys or values `others`: values (columns, chunks), slopes (columns, n)."""
    column = (tl.program_id(0) // chunks).to(tl.int64)
    ranks = (tl.program_id(0) % chunks).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    own = tl.load(keys + column * n + ranks, ranks < n, 0)
    others += column * others_stride
    cost, slope = couple(key_values(own), ranks, n, others, m, P, EQUAL)
    if NORMAL:
        means = tl.load(others + ranks, ranks < n, 0.0)
        cost += tl.where(ranks < n, 1 - means * means, 0.0)  # the variance within the intervals
    tl.store(values + tl.program_id(0), scale / n * tl.sum(cost, 0))
    if SLOPE:
        tl.store(slopes + column * n + key_rows(own), scale / n * slope, ranks < n)
