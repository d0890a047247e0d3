"""Triton: columns that fit in one program's registers are projected, sorted and compared in a single launch."""

import triton
import triton.language as tl

from .triton_columns import couple, key_rows, key_values, project, sort_keys


@triton.jit
def short_columns(
    x,
    y,
    theta,
    u,
    v,
    values,
    n,
    m,
    d,
    count,
    group,
    theta_stride,
    scale,
    P: tl.constexpr,
    NORMAL: tl.constexpr,
    EQUAL: tl.constexpr,
    SLOPE_U: tl.constexpr,
    SLOPE_V: tl.constexpr,
    SIZE: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """A group of directions of one batch a program: values (batch, count), and the derivatives by each projection.

    x (batch, n, d), y (batch, m, d) or, if NORMAL, the means (n,); theta (batch or 1, count, d). u (batch, count, n)
    and v (batch, count, m) hold the projections, then the sorted ones, and in the end, where asked for, `scale` times
    the derivatives of W_p^p by them: a row is read and written by one program alone.
    """
    groups = tl.cdiv(count, group)
    batch = (tl.program_id(0) // groups).to(tl.int64)
    start = tl.program_id(0) % groups * group
    stop = tl.minimum(start + group, count)
    theta += batch * theta_stride
    project(x + batch * n * d, theta, u + batch * count * n, n, d, start, stop, PRECISION)
    if not NORMAL:
        project(y + batch * m * d, theta, v + batch * count * m, m, d, start, stop, PRECISION)
    ranks = tl.arange(0, SIZE)
    for direction in range(start, stop):
        column = batch * count + direction
        own = u + column * n
        other = y if NORMAL else v + column * m
        tl.debug_barrier()  # what other threads have projected
        x_keys = tl.sort(sort_keys(tl.load(own + ranks, ranks < n, 0.0), ranks, n, SLOPE_U))
        if not NORMAL:
            y_keys = tl.sort(sort_keys(tl.load(other + ranks, ranks < m, 0.0), ranks, m, SLOPE_V))
            tl.debug_barrier()  # all have read before any writes
            tl.store(other + ranks, key_values(y_keys), ranks < m)
            if SLOPE_V:
                tl.store(own + ranks, key_values(x_keys), ranks < n)
            tl.debug_barrier()
        cost, slope = couple(key_values(x_keys), ranks, n, other, m, P, EQUAL)
        value = tl.sum(cost, 0) / n
        if NORMAL:
            means = tl.load(y + ranks, ranks < n, 0.0)
            value += 1 - tl.sum(means * means, 0) / n  # the variance within the intervals
        tl.store(values + column, scale * value)
        if SLOPE_V:
            _, back = couple(key_values(y_keys), ranks, m, own, n, P, EQUAL)
            tl.debug_barrier()
            tl.store(other + key_rows(y_keys), scale / m * back, ranks < m)
        if SLOPE_U:
            tl.debug_barrier()
            tl.store(own + key_rows(x_keys), scale / n * slope, ranks < n)
