"""Nearest neighbours on a GPU: a block of points against all tiles of the others, by differences or by products.

Every lane of a tile keeps the best that it has met, and lanes are compared once at the end: no reduction in the walk.
As in the reference, a point with a NaN is everyone's nearest, and a point at infinity nobody's.
"""

import triton
import triton.language as tl

from .pairwise_sum import height_of, jit, operand, place, products

HUGE = tl.constexpr(3e38)


@triton.jit
def _winner(best, column_tile, COLUMNS: tl.constexpr):
    """Of each row the column of the least score, the lowest of equals."""
    column = column_tile * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    least = tl.min(best, 1)
    return tl.min(tl.where(best == least[:, None], column, 2147483647), 1)


@triton.jit
def _ordered(score, norm):
    """Scores with an order among what is no number: those of columns with a NaN first, of columns at infinity last."""
    other = tl.where(norm == norm, tl.where(norm == float("inf"), float("inf"), 0.0), float("-inf"))
    return tl.where(score == score, score, other[None, :])


@jit
def nearest_by_differences(
    x, y, index, n, m, tiles, D: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr
):  # fmt: skip
    """index (batch, n): of each point of x (batch, n, D) the nearest of y (batch, m, D)."""
    batch = (tl.program_id(0) // tiles).to(tl.int64)
    rows = tl.program_id(0) % tiles * ROWS + tl.arange(0, ROWS)
    x += batch * n * D
    y += batch * m * D
    best = tl.full((ROWS, COLUMNS), float("inf"), tl.float32)
    found = tl.zeros((ROWS, COLUMNS), tl.int32)
    for tile in tl.range(0, tl.cdiv(m, COLUMNS)):
        columns = tile * COLUMNS + tl.arange(0, COLUMNS)
        score = tl.zeros((ROWS, COLUMNS), tl.float32)
        norm = tl.zeros((COLUMNS,), tl.float32)
        for k in tl.static_range(D):
            a = tl.load(x + rows.to(tl.int64) * D + k, mask=rows < n, other=0.0).to(tl.float32)
            b = tl.load(y + columns.to(tl.int64) * D + k, mask=columns < m, other=float("inf")).to(tl.float32)
            difference = a[:, None] - b[None, :]
            score += difference * difference
            norm += b * b
        score = _ordered(score, norm)
        better = score < best
        best = tl.where(better, score, best)
        found = tl.where(better, tile, found)
    tl.store(index + batch * n + rows, _winner(best, found, COLUMNS).to(tl.int64), mask=rows < n)


@jit
def nearest_by_products(
    z, norms, index, n, m, tiles, batches,
    WIDTH: tl.constexpr, CHUNK: tl.constexpr, PLANES: tl.constexpr, ALIGNED: tl.constexpr, ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):  # fmt: skip
    """The same from z and norms of `prepare`: ‖b‖² − 2⟨a, b⟩ orders the points b as their distance to a does."""
    batch = (tl.program_id(0) // tiles).to(tl.int64)
    height = height_of(n, m, ALIGNED)
    plane = batches.to(tl.int64) * height * WIDTH
    z += batch * height * WIDTH
    norms += batch * height
    rows = tl.program_id(0) % tiles * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, CHUNK)
    of_row = z + rows.to(tl.int64)[:, None] * WIDTH + k[None, :]
    a = operand(of_row, plane, (rows < n)[:, None], PLANES, ALIGNED)
    best = tl.full((ROWS, COLUMNS), float("inf"), tl.float32)
    found = tl.zeros((ROWS, COLUMNS), tl.int32)
    for tile in tl.range(0, tl.cdiv(m, COLUMNS)):
        first, end, _ = place(tl.cdiv(n, COLUMNS) + tile, n, m, COLUMNS, ALIGNED)
        columns = first + tl.arange(0, COLUMNS)
        valid = columns < end
        of_column = z + columns.to(tl.int64)[None, :] * WIDTH + k[:, None]
        product, _ = products(a, of_row, of_column, plane, rows < n, valid, WIDTH, CHUNK, PLANES, ALIGNED)
        norm = tl.load(norms + columns, mask=valid, other=float("inf"))
        score = tl.maximum(norm[None, :] - 2 * product, -HUGE, propagate_nan=tl.PropagateNan.ALL)
        score = _ordered(score, norm)
        better = score < best
        best = tl.where(better, score, best)
        found = tl.where(better, tile, found)
    tl.store(index + batch * n + rows, _winner(best, found, COLUMNS).to(tl.int64), mask=rows < n)
