"""Triton kernels of the pairwise sums: packing of the points, sums over tiles of pairs, reduction of partial sums.

z = [x; y] is stored once, centered: each float32 as three bfloat16 planes that sum to it, so that the inner loop
splits no points (split_bf16.py) and both matmuls read one tile: the matrix units read 16-bit operands along either
side.

A program sums the pairs of a block of rows of z with a range of its columns, so the gradient of these rows stays in its
registers and no two programs add to the same memory. For that both triangles of a symmetric block are computed, and the
inner products twice (four matmuls for two points instead of three), which costs less than adding the gradient of the
columns in memory, and fixes the order of every sum. Without gradients only the upper triangle is computed.
"""

import functools

import triton
import triton.language as tl

from ...split_bf16 import split_bf16, split_dot

COUNTS = (
    "n", "m", "d", "batches", "first_tile", "tiles", "first_column", "last_column", "splits", "chunks", "parts",
    "first_part", "norm_tiles", "first", "count",
)  # fmt: skip
# One compiled kernel for all sizes: specializing sizes of 1 or multiples of 16 gains nothing.
jit = functools.partial(triton.jit, do_not_specialize=COUNTS)

POINTS_PER_PROGRAM = tl.constexpr(64)  # in `pack_points` and `reduce_partials`
ORIGIN_POINTS = tl.constexpr(64)  # points of each sample whose mean is the origin
# ‖a−b‖² below this fraction of ‖a‖²+‖b‖² is rounding error of their difference, and counts as 0.
ROUNDING = tl.constexpr(2.0**-20)


@triton.jit
def tile_rows(tile, n, m, TILE: tl.constexpr, ALIGNED: tl.constexpr):
    """Return the first row of a tile in z, the end of its sample's rows, and whether that sample is x; y follows x."""
    tiles_of_x = tl.cdiv(n, TILE)
    first_of_y = tl.cdiv(n, ALIGNED) * ALIGNED
    in_x = tile < tiles_of_x
    first = tl.where(in_x, tile * TILE, first_of_y + (tile - tiles_of_x) * TILE)
    return first, tl.where(in_x, n, first_of_y + m), in_x


@triton.jit
def num_rows(n, m, ALIGNED: tl.constexpr):
    """Return the number of rows of z, in which each sample starts at a multiple of ALIGNED."""
    return (tl.cdiv(n, ALIGNED) + tl.cdiv(m, ALIGNED)) * ALIGNED


@triton.jit
def load(at, valid, ALIGNED: tl.constexpr):
    """Load whole tiles if z has rows of 0 after the points of a sample: a mask would split the loads."""
    if ALIGNED > 1:
        return tl.load(at)
    else:
        return tl.load(at, mask=valid, other=0.0)


@triton.jit
def _sum_of_few(points, count, k, d):
    """Sum evenly spaced points of a sample, without values that are not finite, which would reach all points."""
    at = (tl.arange(0, ORIGIN_POINTS).to(tl.int64) * count // ORIGIN_POINTS)[:, None] * d + k[None, :]
    values = tl.load(points + at, mask=(k < d)[None, :] & (count > 0), other=0.0).to(tl.float32)
    return tl.sum(tl.where(tl.abs(values) < float("inf"), values, 0.0), 0)


@jit
def pack_points(
    x, y, z, norms, max_norms, n, m, d, batches,
    WIDTH: tl.constexpr, CHUNK: tl.constexpr, CENTERED: tl.constexpr, PLANES: tl.constexpr, ALIGNED: tl.constexpr,
):  # fmt: skip
    """Store z (PLANES, batch, height, WIDTH) = [x; y] − origin, padded with 0; norms ‖z‖², and the maxima of tiles.

    The origin is the mean of a few points: it need only be close. In bfloat16, z is the sum of its planes and the norms
    are those of the sum.
    """
    tiles = tl.cdiv(n, POINTS_PER_PROGRAM) + tl.cdiv(m, POINTS_PER_PROGRAM)
    batch = (tl.program_id(0) // tiles).to(tl.int64)
    tile = tl.program_id(0) % tiles
    first, end, in_x = tile_rows(tile, n, m, POINTS_PER_PROGRAM, ALIGNED)
    height = num_rows(n, m, ALIGNED)
    x += batch * n * d
    y += batch * m * d
    row = first + tl.arange(0, POINTS_PER_PROGRAM)
    valid = (row < end)[:, None]
    in_memory = row < tl.cdiv(end, ALIGNED) * ALIGNED
    sample_row = row.to(tl.int64) - tl.where(in_x, 0, tl.cdiv(n, ALIGNED) * ALIGNED)
    row = row.to(tl.int64)
    square = tl.zeros((POINTS_PER_PROGRAM,), tl.float32)
    for start in tl.range(0, WIDTH, CHUNK):
        k = start + tl.arange(0, CHUNK)
        inside = valid & (k < d)[None, :]
        at = sample_row[:, None] * d + k[None, :]
        x_point = tl.load(x + at, mask=inside & in_x, other=0.0)
        y_point = tl.load(y + at, mask=inside & (in_x == 0), other=0.0)
        point = tl.where(in_x, x_point, y_point)
        if CENTERED:
            num_origin_points = tl.where(n > 0, ORIGIN_POINTS, 0) + tl.where(m > 0, ORIGIN_POINTS, 0)
            origin = (_sum_of_few(x, n, k, d) + _sum_of_few(y, m, k, d)) / num_origin_points
            point = tl.where(inside, point.to(tl.float32) - origin[None, :], 0.0)
        point = point.to(tl.float32)
        parts = (point,)
        total = point
        finite = tl.abs(point) < float("inf")
        if z.dtype.element_ty == tl.bfloat16:
            parts, remainder = split_bf16(point, PLANES)
            total = tl.where(finite, point - remainder, point)
        mask = in_memory[:, None] & (k < WIDTH)[None, :]
        for plane in tl.static_range(PLANES):
            part = parts[plane]
            if plane > 0:
                part = tl.where(finite, part, 0.0)
            at = ((plane * batches.to(tl.int64) + batch) * height + row)[:, None] * WIDTH + k[None, :]
            tl.store(z + at, part, mask=mask)
        square += tl.sum(total * total, 1)
    tl.store(norms + batch * height + row, square, mask=in_memory)
    tl.store(max_norms + batch * tiles + tile, tl.max(square, 0))


@triton.jit
def _max_norm(max_norms, count):
    """Return the largest squared norm of all points."""
    maxima = tl.zeros((1024,), tl.float32)
    for first in tl.range(0, count, 1024):
        at = first + tl.arange(0, 1024)
        maxima = tl.maximum(maxima, tl.load(max_norms + at, mask=at < count, other=0.0))
    return tl.max(maxima, 0)


@triton.jit
def load_planes(at, plane, valid, PLANES: tl.constexpr, ALIGNED: tl.constexpr):
    """Load a tile of each plane of z; planes are `plane` numbers apart."""
    parts = (load(at, valid, ALIGNED),)
    for i in tl.static_range(1, PLANES):
        parts += (load(at + i * plane, valid, ALIGNED),)  # type: ignore[assignment]
    return parts


@triton.jit
def transpose_planes(parts):
    """Transpose the tile of each plane."""
    transposed = (tl.trans(parts[0]),)
    for i in tl.static_range(1, len(parts)):
        transposed += (tl.trans(parts[i]),)  # type: ignore[assignment]
    return transposed


@triton.jit
def inner_products(
    a, row_at, column_at, plane, row_valid, column_valid,
    WIDTH: tl.constexpr, CHUNK: tl.constexpr, PLANES: tl.constexpr, ALIGNED: tl.constexpr,
):  # fmt: skip
    """Compute inner products of the rows of z at `row_at`, whose first chunk is `a`, with the columns at `column_at`.

    If there is only one chunk, the columns are returned, too.
    """
    total = tl.zeros((row_at.shape[0], column_at.shape[1]), tl.float32)
    if WIDTH == CHUNK:
        b = load_planes(column_at, plane, column_valid[None, :], PLANES, ALIGNED)
        return split_dot(a, b, total), b
    else:
        for start in tl.range(0, WIDTH, CHUNK):
            a_chunk = load_planes(row_at + start, plane, row_valid[:, None], PLANES, ALIGNED)
            b_chunk = load_planes(column_at + start, plane, column_valid[None, :], PLANES, ALIGNED)
            total = split_dot(a_chunk, b_chunk, total)
        return total, ()


@triton.jit
def _difference(z, k, rows, row_valid, columns, column_valid, WIDTH: tl.constexpr):
    """Compute the differences of the k-th coordinates of rows and columns of z."""
    a = tl.load(z + rows.to(tl.int64) * WIDTH + k, mask=row_valid, other=0.0)
    b = tl.load(z + columns.to(tl.int64) * WIDTH + k, mask=column_valid, other=0.0)
    return a[:, None] - b[None, :]


@triton.jit
def _distances(z, rows, row_valid, columns, column_valid, WIDTH: tl.constexpr):
    """Compute squared distances from differences, for few coordinates."""
    s = tl.zeros((rows.shape[0], columns.shape[0]), tl.float32)
    for k in tl.static_range(WIDTH):
        difference = _difference(z, k, rows, row_valid, columns, column_valid, WIDTH)
        s += difference * difference
    return s


@triton.jit
def _weighted_differences(z, weight, rows, row_valid, columns, column_valid, g, WIDTH: tl.constexpr):
    """Compute Σ_j w_ij (z_i − z_j) for few coordinates, at their indices in g."""
    total = tl.zeros((rows.shape[0], g.shape[0]), tl.float32)
    for k in tl.static_range(WIDTH):
        difference = _difference(z, k, rows, row_valid, columns, column_valid, WIDTH)
        total += tl.where(g[None, :] == k, tl.sum(weight * difference, 1)[:, None], 0.0)
    return total


@jit
def sum_pairs(
    z, norms, max_norms, values, gradients, sums, n, m, batches,
    first_tile, tiles, first_column, last_column, splits, chunks, parts, first_part,
    value_own, value_other, slope_own, slope_other, norm_tiles, reach, numbers,
    LIMITED: tl.constexpr, PHI: tl.constexpr, INNER: tl.constexpr, DIAGONAL: tl.constexpr, GRADIENT: tl.constexpr,
    WIDTH: tl.constexpr, FEW: tl.constexpr, PLANES: tl.constexpr, PARTS: tl.constexpr, ALIGNED: tl.constexpr,
    CHUNK: tl.constexpr, GRADIENT_CHUNK: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Sum φ over the pairs of a tile of rows with a range of tiles of columns: partial value and partial gradient.

    A program computes one batch, one tile of rows, one of `splits` ranges of columns, and one of `chunks` of the
    gradient's coordinates (each recomputes the distances). Slopes are multiplied in PARTS; their remainder is left out
    of their sum, too, so that the gradient is that of slightly different weights, and independent of the origin.
    """
    program = tl.program_id(0)
    split = program % splits
    chunk = program // splits % chunks
    tile = first_tile + program // splits // chunks % tiles
    batch = (program // splits // chunks // tiles).to(tl.int64)
    height = num_rows(n, m, ALIGNED)
    plane = batches.to(tl.int64) * height * WIDTH
    z += batch * height * WIDTH
    norms += batch * height
    first_row, end_of_rows, rows_in_x = tile_rows(tile, n, m, ROWS, ALIGNED)
    rows = first_row + tl.arange(0, ROWS)
    row_valid = rows < end_of_rows
    a_norms = load(norms + rows, row_valid, ALIGNED)
    within_reach = 4 * _max_norm(max_norms + batch * norm_tiles, norm_tiles) <= reach if LIMITED else True
    k = tl.arange(0, CHUNK)
    row_at = z + rows.to(tl.int64)[:, None] * WIDTH + k[None, :]
    if not FEW:
        a = load_planes(row_at, plane, row_valid[:, None], PLANES, ALIGNED)
    begin = first_column
    if not GRADIENT:  # upper triangle only
        own_offset = tl.where(rows_in_x, tile, tile - tl.cdiv(n, ROWS)) * (ROWS // COLUMNS)
        begin = tl.maximum(begin, tl.where(rows_in_x, 0, tl.cdiv(n, COLUMNS)) + own_offset)
    column = tl.arange(0, COLUMNS)
    count = tl.maximum(last_column - begin, 0)
    value = tl.zeros((ROWS,), tl.float64)
    sum_of_slopes = tl.zeros((ROWS,), tl.float32)
    g = chunk * GRADIENT_CHUNK + tl.arange(0, GRADIENT_CHUNK)
    gradient = tl.zeros((ROWS, GRADIENT_CHUNK), tl.float32)
    for column_tile in tl.range(begin + split * count // splits, begin + (split + 1) * count // splits):
        first, end, in_x = tile_rows(column_tile, n, m, COLUMNS, ALIGNED)
        columns = first + column
        column_valid = columns < end
        if FEW:
            s = _distances(z, rows, row_valid, columns, column_valid, WIDTH)
        else:
            column_at = z + first.to(tl.int64) * WIDTH + (column[None, :] * WIDTH + k[:, None])
            s, b = inner_products(a, row_at, column_at, plane, row_valid, column_valid, WIDTH, CHUNK, PLANES, ALIGNED)
            if not INNER:
                norm = a_norms[:, None] + load(norms + columns, column_valid, ALIGNED)[None, :]
                s = norm - 2 * s
                s = tl.where(s <= ROUNDING * norm, 0.0, s)  # NaN propagates
        phi, slope = PHI(s, within_reach, numbers)
        own = in_x == rows_in_x
        masked_tail = (first + COLUMNS > end) | (first_row + ROWS > end_of_rows)
        if not DIAGONAL:
            masked_tail = masked_tail | ((first < first_row + ROWS) & (first_row < first + COLUMNS))
        if masked_tail:  # no mask for most tiles
            mask = row_valid[:, None] & column_valid[None, :]
            if not DIAGONAL:
                mask = mask & (rows[:, None] != columns[None, :])
            phi = tl.where(mask, phi, 0.0)
            slope = tl.where(mask, slope, 0.0)
        multiplicity = tl.where(own, value_own, value_other)
        if not GRADIENT:
            multiplicity = tl.where(own & (first >= first_row + ROWS), 2 * multiplicity, multiplicity)
        value += (tl.sum(phi, 1) * multiplicity).to(tl.float64)
        if GRADIENT:
            weight = slope * tl.where(own, slope_own, slope_other)
            if FEW:
                gradient += _weighted_differences(z, weight, rows, row_valid, columns, column_valid, g, WIDTH)
            else:
                slopes, remainder = split_bf16(weight, PARTS)
                if PARTS < 3:
                    weight -= remainder
                sum_of_slopes += tl.sum(weight, 1)
                if GRADIENT_CHUNK == CHUNK:
                    c = transpose_planes(b)
                else:
                    chunk_at = z + first.to(tl.int64) * WIDTH + (column[:, None] * WIDTH + g[None, :])
                    c = load_planes(chunk_at, plane, column_valid[:, None], PLANES, ALIGNED)
                gradient = split_dot(slopes, c, gradient)

    if chunk == 0:
        part = first_part + (tile - first_tile) * splits + split
        tl.store(values + batch * parts + part, tl.sum(tl.where(row_valid, value, 0.0), 0))
    if GRADIENT:
        at = (split * batches + batch) * height + rows
        if chunk == 0 and not FEW:
            tl.store(sums + at, sum_of_slopes, mask=row_valid)
        tl.store(gradients + at[:, None] * WIDTH + g[None, :], gradient, mask=row_valid[:, None] & (g < WIDTH)[None, :])


@jit
def reduce_partials(
    values, gradients, sums, z, value, gradient, constant, n, m, d, batches, parts, splits, first, count, tiles,
    WIDTH: tl.constexpr, FEW: tl.constexpr, PLANES: tl.constexpr, ALIGNED: tl.constexpr, CHUNK: tl.constexpr,
    INNER: tl.constexpr,
):  # fmt: skip
    """Reduce partial sums to the value (batch,) and the gradient (batch, count, d) of the rows of z from `first` on.

    The gradient is 2 Σ_j w_ij (z_i − z_j) for distances, of which `sum_pairs` computed Σ_j w_ij z_j, and for FEW
    coordinates the whole sum; Σ_j w_ij z_j for inner products.
    """
    batch = (tl.program_id(0) // tiles).to(tl.int64)
    tile = tl.program_id(0) % tiles
    if tile == 0:
        total = tl.zeros((1024,), tl.float64)
        for start in tl.range(0, parts, 1024):
            part = start + tl.arange(0, 1024)
            total += tl.load(values + batch * parts + part, mask=part < parts, other=0.0)
        tl.store(value + batch, (tl.sum(total, 0) + constant).to(tl.float32))
    i = (tile * POINTS_PER_PROGRAM + tl.arange(0, POINTS_PER_PROGRAM)).to(tl.int64)
    valid = i < count
    height = num_rows(n, m, ALIGNED)
    row = batch * height + first + i
    plane = batches * height.to(tl.int64)
    sum_of_slopes = tl.zeros((POINTS_PER_PROGRAM,), tl.float32)
    for split in tl.range(0, 0 if FEW else splits, loop_unroll_factor=4):
        sum_of_slopes += tl.load(sums + split * plane + row, mask=valid, other=0.0)
    for start in tl.range(0, WIDTH, CHUNK):
        k = start + tl.arange(0, CHUNK)
        inside = valid[:, None] & (k < d)[None, :]
        partial_gradient = tl.zeros((POINTS_PER_PROGRAM, CHUNK), tl.float32)
        for split in tl.range(0, splits, loop_unroll_factor=4):  # as many loads in flight
            at = (split * plane + row)[:, None] * WIDTH + k[None, :]
            partial_gradient += tl.load(gradients + at, mask=inside, other=0.0)
        if FEW:
            partial_gradient = 2 * partial_gradient
        elif not INNER:
            point = tl.zeros((POINTS_PER_PROGRAM, CHUNK), tl.float32)
            for p in tl.static_range(PLANES):
                at = (p * plane + row)[:, None] * WIDTH + k[None, :]
                point += tl.load(z + at, mask=inside, other=0.0).to(tl.float32)
            partial_gradient = 2 * (sum_of_slopes[:, None] * point - partial_gradient)
        tl.store(gradient + (batch * count + i)[:, None] * d + k[None, :], partial_gradient, mask=inside)
