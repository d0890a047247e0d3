"""Triton kernel for columns that fit in one program's registers: sorting and coupling in a single launch."""

import triton
import triton.language as tl

from .columns import couple, key_rows, key_values, sort_keys


@triton.jit
def short_columns(
    u,
    v,
    values,
    n,
    m,
    scale,
    P: tl.constexpr,
    NORMAL: tl.constexpr,
    EQUAL: tl.constexpr,
    SLOPE_U: tl.constexpr,
    SLOPE_V: tl.constexpr,
    SIZE: tl.constexpr,
):
    """Compute values (columns,) and derivatives with respect to the projections, one column per program.

    u (columns, n) and v (columns, m) hold the projections, then the sorted ones, and finally, if needed, `scale` times
    the derivatives of W_p^p: each row is read and written by one program. If NORMAL, v (n,) are the means, not
    overwritten.
    """
    column = tl.program_id(0).to(tl.int64)
    ranks = tl.arange(0, SIZE)
    own = u + column * n
    other = v if NORMAL else v + column * m
    x_keys = tl.sort(sort_keys(tl.load(own + ranks, ranks < n, 0.0), ranks, n, SLOPE_U))
    if not NORMAL:
        y_keys = tl.sort(sort_keys(tl.load(other + ranks, ranks < m, 0.0), ranks, m, SLOPE_V))
        tl.debug_barrier()  # all threads read before any writes
        tl.store(other + ranks, key_values(y_keys), ranks < m)
        if SLOPE_V:
            tl.store(own + ranks, key_values(x_keys), ranks < n)
        tl.debug_barrier()
    cost, slope = couple(key_values(x_keys), ranks, n, other, m, P, EQUAL)
    value = tl.sum(cost, 0) / n
    if NORMAL:
        means = tl.load(v + ranks, ranks < n, 0.0)
        value += 1 - tl.sum(means * means, 0) / n  # the variance within the intervals
    tl.store(values + column, scale * value)
    if SLOPE_V:
        _, slope_v = couple(key_values(y_keys), ranks, m, own, n, P, EQUAL)
        tl.debug_barrier()
        tl.store(other + key_rows(y_keys), scale / m * slope_v, ranks < m)
    if SLOPE_U:
        tl.debug_barrier()
        tl.store(own + key_rows(x_keys), scale / n * slope, ranks < n)
