"""Triton kernels of nearest neighbors: a block of points against all tiles of the others, by differences or matmul.

The minimum of each lane of a tile stays in its register, and the lanes are reduced once at the end: no reduction in the
loop. As in the reference, a point with a NaN is nearest to every point, and a point at infinity to none.
"""

import triton
import triton.language as tl

from .pairwise_sum import inner_products, jit, load_planes, num_rows, tile_rows

HUGE = tl.constexpr(3e38)


@triton.jit
def _argmin(min_score, column_tile, COLUMNS: tl.constexpr):
    """Return for each row the column of the lowest score, the lowest of ties."""
    column = column_tile * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    row_min = tl.min(min_score, 1)
    return tl.min(tl.where(min_score == row_min[:, None], column, 2147483647), 1)


@triton.jit
def _order_not_finite(score, norm):
    """Replace NaN scores so that columns with a NaN come first and columns at infinity last."""
    other = tl.where(norm == norm, tl.where(norm == float("inf"), float("inf"), 0.0), float("-inf"))
    return tl.where(score == score, score, other[None, :])


@jit
def nearest_by_differences(
    x, y, index, n, m, tiles, D: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr
):  # fmt: skip
    """Store in index (batch, n), for each point of x (batch, n, D), the nearest of y (batch, m, D)."""
    batch = (tl.program_id(0) // tiles).to(tl.int64)
    rows = tl.program_id(0) % tiles * ROWS + tl.arange(0, ROWS)
    x += batch * n * D
    y += batch * m * D
    min_score = tl.full((ROWS, COLUMNS), float("inf"), tl.float32)
    min_tile = tl.zeros((ROWS, COLUMNS), tl.int32)
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
        score = _order_not_finite(score, norm)
        smaller = score < min_score
        min_score = tl.where(smaller, score, min_score)
        min_tile = tl.where(smaller, tile, min_tile)
    tl.store(index + batch * n + rows, _argmin(min_score, min_tile, COLUMNS).to(tl.int64), mask=rows < n)


@jit
def nearest_by_matmul(
    z, norms, index, n, m, tiles, batches,
    WIDTH: tl.constexpr, CHUNK: tl.constexpr, PLANES: tl.constexpr, ALIGNED: tl.constexpr, ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):  # fmt: skip
    """Compute the same from z and norms of `pack_points`: ‖b‖² − 2⟨a, b⟩ orders points b as their distance to a."""
    batch = (tl.program_id(0) // tiles).to(tl.int64)
    height = num_rows(n, m, ALIGNED)
    plane = batches.to(tl.int64) * height * WIDTH
    z += batch * height * WIDTH
    norms += batch * height
    rows = tl.program_id(0) % tiles * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, CHUNK)
    row_at = z + rows.to(tl.int64)[:, None] * WIDTH + k[None, :]
    a = load_planes(row_at, plane, (rows < n)[:, None], PLANES, ALIGNED)
    min_score = tl.full((ROWS, COLUMNS), float("inf"), tl.float32)
    min_tile = tl.zeros((ROWS, COLUMNS), tl.int32)
    for tile in tl.range(0, tl.cdiv(m, COLUMNS)):
        first, end, _ = tile_rows(tl.cdiv(n, COLUMNS) + tile, n, m, COLUMNS, ALIGNED)
        columns = first + tl.arange(0, COLUMNS)
        valid = columns < end
        column_at = z + columns.to(tl.int64)[None, :] * WIDTH + k[:, None]
        inner, _ = inner_products(a, row_at, column_at, plane, rows < n, valid, WIDTH, CHUNK, PLANES, ALIGNED)
        norm = tl.load(norms + columns, mask=valid, other=float("inf"))
        score = tl.maximum(norm[None, :] - 2 * inner, -HUGE, propagate_nan=tl.PropagateNan.ALL)
        score = _order_not_finite(score, norm)
        smaller = score < min_score
        min_score = tl.where(smaller, score, min_score)
        min_tile = tl.where(smaller, tile, min_tile)
    tl.store(index + batch * n + rows, _argmin(min_score, min_tile, COLUMNS).to(tl.int64), mask=rows < n)
