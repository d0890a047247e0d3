"""The kernels of the pairwise sums on a GPU: points made ready, the walk over tiles of pairs, the second stage.

z = [x; y] is held once, centred: a float32 as the three bfloat16 numbers that it is the sum of, so that nothing is
taken apart in the walk (triton_parts.py), and so that both products read one tile: the matrix units take 16-bit numbers
along either side of it.

A program of the walk owns the pairs of a block of rows of z with a range of its columns, so the gradient of these rows
stays in its registers, and nothing is added to by two. Where both triangles of a symmetric block are walked for that,
the inner products are taken twice (four products for two points instead of three), which is less than what adding the
gradient of the columns in memory would cost, and the order of every sum is fixed. Where no gradient is wanted, the
upper triangle is walked alone.
"""

import functools

import triton
import triton.language as tl

from ...split_bf16 import in_parts, product

COUNTS = (
    "n", "m", "d", "batches", "first_tile", "tiles", "first_column", "last_column", "splits", "chunks", "parts",
    "first_part", "prepared_tiles", "first", "count",
)  # fmt: skip
# One compiled kernel serves all sizes: nothing is gained from knowing that one is 1 or a multiple of 16.
jit = functools.partial(triton.jit, do_not_specialize=COUNTS)

PREPARED = tl.constexpr(64)  # points that a program of `prepare` or `finish` takes
SAMPLE = tl.constexpr(64)  # points of each cloud whose mean is the origin
# ‖a−b‖² below this share of ‖a‖²+‖b‖² is rounding of the difference that it was taken from, and counts as 0.
ROUNDING = tl.constexpr(2.0**-20)


@triton.jit
def place(tile, n, m, TILE: tl.constexpr, ALIGNED: tl.constexpr):
    """First row in z of a tile, row after the last point of its cloud, and whether that is x; y follows x."""
    tiles_of_x = tl.cdiv(n, TILE)
    first_of_y = tl.cdiv(n, ALIGNED) * ALIGNED
    in_x = tile < tiles_of_x
    first = tl.where(in_x, tile * TILE, first_of_y + (tile - tiles_of_x) * TILE)
    return first, tl.where(in_x, n, first_of_y + m), in_x


@triton.jit
def height_of(n, m, ALIGNED: tl.constexpr):
    """Rows of z: each cloud starts at a multiple of ALIGNED."""
    return (tl.cdiv(n, ALIGNED) + tl.cdiv(m, ALIGNED)) * ALIGNED


@triton.jit
def load(at, valid, ALIGNED: tl.constexpr):
    """Whole tiles where z has rows of 0 after the points of a cloud; a mask would break up the loads."""
    if ALIGNED > 1:
        return tl.load(at)
    else:
        return tl.load(at, mask=valid, other=0.0)


@triton.jit
def _sample(cloud, count, k, d):
    """Sum over a few points of a cloud, spread evenly; what is not finite counts as 0, or it would spoil all points."""
    at = (tl.arange(0, SAMPLE).to(tl.int64) * count // SAMPLE)[:, None] * d + k[None, :]
    found = tl.load(cloud + at, mask=(k < d)[None, :] & (count > 0), other=0.0).to(tl.float32)
    return tl.sum(tl.where(tl.abs(found) < float("inf"), found, 0.0), 0)


@jit
def prepare(
    x, y, z, norms, greatest, n, m, d, batches,
    WIDTH: tl.constexpr, CHUNK: tl.constexpr, CENTRED: tl.constexpr, PLANES: tl.constexpr, ALIGNED: tl.constexpr,
):  # fmt: skip
    """z (PLANES, batch, height, WIDTH) = [x; y] less an origin, padded with 0; norms ‖z‖², the greatest of each tile.

    The origin is the mean of a few points: it need only be near. Of bfloat16, z is the sum of its planes; norms are
    those of this sum.
    """
    tiles = tl.cdiv(n, PREPARED) + tl.cdiv(m, PREPARED)
    batch = (tl.program_id(0) // tiles).to(tl.int64)
    tile = tl.program_id(0) % tiles
    first, end, in_x = place(tile, n, m, PREPARED, ALIGNED)
    height = height_of(n, m, ALIGNED)
    x += batch * n * d
    y += batch * m * d
    row = first + tl.arange(0, PREPARED)
    valid = (row < end)[:, None]
    held = row < tl.cdiv(end, ALIGNED) * ALIGNED
    of_cloud = row.to(tl.int64) - tl.where(in_x, 0, tl.cdiv(n, ALIGNED) * ALIGNED)
    row = row.to(tl.int64)
    square = tl.zeros((PREPARED,), tl.float32)
    for start in tl.range(0, WIDTH, CHUNK):
        k = start + tl.arange(0, CHUNK)
        inside = valid & (k < d)[None, :]
        at = of_cloud[:, None] * d + k[None, :]
        of_x = tl.load(x + at, mask=inside & in_x, other=0.0)
        of_y = tl.load(y + at, mask=inside & (in_x == 0), other=0.0)
        point = tl.where(in_x, of_x, of_y)
        if CENTRED:
            counted = tl.where(n > 0, SAMPLE, 0) + tl.where(m > 0, SAMPLE, 0)
            origin = (_sample(x, n, k, d) + _sample(y, m, k, d)) / counted
            point = tl.where(inside, point.to(tl.float32) - origin[None, :], 0.0)
        point = point.to(tl.float32)
        parts = (point,)
        whole = point
        finite = tl.abs(point) < float("inf")
        if z.dtype.element_ty == tl.bfloat16:
            parts, left = in_parts(point, PLANES)
            whole = tl.where(finite, point - left, point)
        mask = held[:, None] & (k < WIDTH)[None, :]
        for plane in tl.static_range(PLANES):
            part = parts[plane]
            if plane > 0:
                part = tl.where(finite, part, 0.0)
            at = ((plane * batches.to(tl.int64) + batch) * height + row)[:, None] * WIDTH + k[None, :]
            tl.store(z + at, part, mask=mask)
        square += tl.sum(whole * whole, 1)
    tl.store(norms + batch * height + row, square, mask=held)
    tl.store(greatest + batch * tiles + tile, tl.max(square, 0))


@triton.jit
def _greatest(greatest, count):
    """The greatest squared norm of all points."""
    found = tl.zeros((1024,), tl.float32)
    for first in tl.range(0, count, 1024):
        at = first + tl.arange(0, 1024)
        found = tl.maximum(found, tl.load(greatest + at, mask=at < count, other=0.0))
    return tl.max(found, 0)


@triton.jit
def operand(at, plane, valid, PLANES: tl.constexpr, ALIGNED: tl.constexpr):
    """A tile of each plane of z; planes are `plane` numbers apart."""
    parts = (load(at, valid, ALIGNED),)
    for i in tl.static_range(1, PLANES):
        parts += (load(at + i * plane, valid, ALIGNED),)  # type: ignore[assignment]
    return parts


@triton.jit
def transposed(parts):
    """The tile of each plane, transposed."""
    across = (tl.trans(parts[0]),)
    for i in tl.static_range(1, len(parts)):
        across += (tl.trans(parts[i]),)  # type: ignore[assignment]
    return across


@triton.jit
def products(
    a, of_row, of_column, plane, row_valid, column_valid,
    WIDTH: tl.constexpr, CHUNK: tl.constexpr, PLANES: tl.constexpr, ALIGNED: tl.constexpr,
):  # fmt: skip
    """Inner products of the rows of z at `of_row`, of which `a` is the first chunk, with the columns at `of_column`.

    Where the first chunk is all, the columns are returned, too.
    """
    found = tl.zeros((of_row.shape[0], of_column.shape[1]), tl.float32)
    if WIDTH == CHUNK:
        b = operand(of_column, plane, column_valid[None, :], PLANES, ALIGNED)
        return product(a, b, found), b
    else:
        for start in tl.range(0, WIDTH, CHUNK):
            of_a = operand(of_row + start, plane, row_valid[:, None], PLANES, ALIGNED)
            of_b = operand(of_column + start, plane, column_valid[None, :], PLANES, ALIGNED)
            found = product(of_a, of_b, found)
        return found, ()


@triton.jit
def _difference(z, k, rows, row_valid, columns, column_valid, WIDTH: tl.constexpr):
    """Of the k-th coordinates of rows and columns of z."""
    a = tl.load(z + rows.to(tl.int64) * WIDTH + k, mask=row_valid, other=0.0)
    b = tl.load(z + columns.to(tl.int64) * WIDTH + k, mask=column_valid, other=0.0)
    return a[:, None] - b[None, :]


@triton.jit
def _distances(z, rows, row_valid, columns, column_valid, WIDTH: tl.constexpr):
    """Squared distances from differences of few coordinates."""
    s = tl.zeros((rows.shape[0], columns.shape[0]), tl.float32)
    for k in tl.static_range(WIDTH):
        difference = _difference(z, k, rows, row_valid, columns, column_valid, WIDTH)
        s += difference * difference
    return s


@triton.jit
def _pull(z, weight, rows, row_valid, columns, column_valid, g, WIDTH: tl.constexpr):
    """Σ_j w_ij (z_i − z_j) of few coordinates, each in its place among g."""
    found = tl.zeros((rows.shape[0], g.shape[0]), tl.float32)
    for k in tl.static_range(WIDTH):
        difference = _difference(z, k, rows, row_valid, columns, column_valid, WIDTH)
        found += tl.where(g[None, :] == k, tl.sum(weight * difference, 1)[:, None], 0.0)
    return found


@jit
def walk(
    z, norms, greatest, values, gradients, sums, n, m, batches,
    first_tile, tiles, first_column, last_column, splits, chunks, parts, first_part,
    value_own, value_other, slope_own, slope_other, prepared_tiles, reach, numbers,
    LIMITED: tl.constexpr, PHI: tl.constexpr, INNER: tl.constexpr, DIAGONAL: tl.constexpr, GRADIENT: tl.constexpr,
    WIDTH: tl.constexpr, FEW: tl.constexpr, PLANES: tl.constexpr, PARTS: tl.constexpr, ALIGNED: tl.constexpr,
    CHUNK: tl.constexpr, GRADIENT_CHUNK: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """φ over the pairs of a tile of rows with a range of tiles of columns: partial value, and partial gradient.

    A program stands for a batch, a tile of rows, one of `splits` ranges of columns, and one of `chunks` of the
    gradient's coordinates (for each of which the distances are taken again). Slopes are multiplied in PARTS; what
    these leave of them is left out of their sum, too, so that the gradient is that of slightly other weights, and does
    not move with the origin.
    """
    program = tl.program_id(0)
    split = program % splits
    chunk = program // splits % chunks
    tile = first_tile + program // splits // chunks % tiles
    batch = (program // splits // chunks // tiles).to(tl.int64)
    height = height_of(n, m, ALIGNED)
    plane = batches.to(tl.int64) * height * WIDTH
    z += batch * height * WIDTH
    norms += batch * height
    first_row, end_of_rows, rows_in_x = place(tile, n, m, ROWS, ALIGNED)
    rows = first_row + tl.arange(0, ROWS)
    row_valid = rows < end_of_rows
    a_norms = load(norms + rows, row_valid, ALIGNED)
    within = 4 * _greatest(greatest + batch * prepared_tiles, prepared_tiles) <= reach if LIMITED else True
    k = tl.arange(0, CHUNK)
    of_row = z + rows.to(tl.int64)[:, None] * WIDTH + k[None, :]
    if not FEW:
        a = operand(of_row, plane, row_valid[:, None], PLANES, ALIGNED)
    begin = first_column
    if not GRADIENT:  # the upper triangle
        own_before = tl.where(rows_in_x, tile, tile - tl.cdiv(n, ROWS)) * (ROWS // COLUMNS)
        begin = tl.maximum(begin, tl.where(rows_in_x, 0, tl.cdiv(n, COLUMNS)) + own_before)
    column = tl.arange(0, COLUMNS)
    count = tl.maximum(last_column - begin, 0)
    value = tl.zeros((ROWS,), tl.float64)
    sum_of_slopes = tl.zeros((ROWS,), tl.float32)
    g = chunk * GRADIENT_CHUNK + tl.arange(0, GRADIENT_CHUNK)
    gradient = tl.zeros((ROWS, GRADIENT_CHUNK), tl.float32)
    for column_tile in tl.range(begin + split * count // splits, begin + (split + 1) * count // splits):
        first, end, in_x = place(column_tile, n, m, COLUMNS, ALIGNED)
        columns = first + column
        column_valid = columns < end
        if FEW:
            s = _distances(z, rows, row_valid, columns, column_valid, WIDTH)
        else:
            of_column = z + first.to(tl.int64) * WIDTH + (column[None, :] * WIDTH + k[:, None])
            s, b = products(a, of_row, of_column, plane, row_valid, column_valid, WIDTH, CHUNK, PLANES, ALIGNED)
            if not INNER:
                norm = a_norms[:, None] + load(norms + columns, column_valid, ALIGNED)[None, :]
                s = norm - 2 * s
                s = tl.where(s <= ROUNDING * norm, 0.0, s)  # NaN stays
        phi, slope = PHI(s, within, numbers)
        own = in_x == rows_in_x
        edge = (first + COLUMNS > end) | (first_row + ROWS > end_of_rows)
        if not DIAGONAL:
            edge = edge | ((first < first_row + ROWS) & (first_row < first + COLUMNS))
        if edge:  # most tiles count whole
            counts = row_valid[:, None] & column_valid[None, :]
            if not DIAGONAL:
                counts = counts & (rows[:, None] != columns[None, :])
            phi = tl.where(counts, phi, 0.0)
            slope = tl.where(counts, slope, 0.0)
        once = tl.where(own, value_own, value_other)
        if not GRADIENT:
            once = tl.where(own & (first >= first_row + ROWS), 2 * once, once)
        value += (tl.sum(phi, 1) * once).to(tl.float64)
        if GRADIENT:
            weight = slope * tl.where(own, slope_own, slope_other)
            if FEW:
                gradient += _pull(z, weight, rows, row_valid, columns, column_valid, g, WIDTH)
            else:
                slopes, left = in_parts(weight, PARTS)
                if PARTS < 3:
                    weight -= left
                sum_of_slopes += tl.sum(weight, 1)
                if GRADIENT_CHUNK == CHUNK:
                    c = transposed(b)
                else:
                    of_chunk = z + first.to(tl.int64) * WIDTH + (column[:, None] * WIDTH + g[None, :])
                    c = operand(of_chunk, plane, column_valid[:, None], PLANES, ALIGNED)
                gradient = product(slopes, c, gradient)

    if chunk == 0:
        part = first_part + (tile - first_tile) * splits + split
        tl.store(values + batch * parts + part, tl.sum(tl.where(row_valid, value, 0.0), 0))
    if GRADIENT:
        at = (split * batches + batch) * height + rows
        if chunk == 0 and not FEW:
            tl.store(sums + at, sum_of_slopes, mask=row_valid)
        tl.store(gradients + at[:, None] * WIDTH + g[None, :], gradient, mask=row_valid[:, None] & (g < WIDTH)[None, :])


@jit
def finish(
    values, gradients, sums, z, value, gradient, constant, n, m, d, batches, parts, splits, first, count, tiles,
    WIDTH: tl.constexpr, FEW: tl.constexpr, PLANES: tl.constexpr, ALIGNED: tl.constexpr, CHUNK: tl.constexpr,
    INNER: tl.constexpr,
):  # fmt: skip
    """The second stage: the value (batch,), and the gradient (batch, count, d) of the rows of z from `first` on.

    2 Σ_j w_ij (z_i − z_j) of distances, of which the walk has left Σ_j w_ij z_j, and of FEW coordinates the whole sum;
    Σ_j w_ij z_j of inner products.
    """
    batch = (tl.program_id(0) // tiles).to(tl.int64)
    tile = tl.program_id(0) % tiles
    if tile == 0:
        total = tl.zeros((1024,), tl.float64)
        for start in tl.range(0, parts, 1024):
            part = start + tl.arange(0, 1024)
            total += tl.load(values + batch * parts + part, mask=part < parts, other=0.0)
        tl.store(value + batch, (tl.sum(total, 0) + constant).to(tl.float32))
    i = (tile * PREPARED + tl.arange(0, PREPARED)).to(tl.int64)
    valid = i < count
    height = height_of(n, m, ALIGNED)
    row = batch * height + first + i
    plane = batches * height.to(tl.int64)
    sum_of_slopes = tl.zeros((PREPARED,), tl.float32)
    for split in tl.range(0, 0 if FEW else splits, loop_unroll_factor=4):
        sum_of_slopes += tl.load(sums + split * plane + row, mask=valid, other=0.0)
    for start in tl.range(0, WIDTH, CHUNK):
        k = start + tl.arange(0, CHUNK)
        inside = valid[:, None] & (k < d)[None, :]
        found = tl.zeros((PREPARED, CHUNK), tl.float32)
        for split in tl.range(0, splits, loop_unroll_factor=4):  # as many loads under way
            found += tl.load(gradients + (split * plane + row)[:, None] * WIDTH + k[None, :], mask=inside, other=0.0)
        if FEW:
            found = 2 * found
        elif not INNER:
            point = tl.zeros((PREPARED, CHUNK), tl.float32)
            for p in tl.static_range(PLANES):
                at = (p * plane + row)[:, None] * WIDTH + k[None, :]
                point += tl.load(z + at, mask=inside, other=0.0).to(tl.float32)
            found = 2 * (sum_of_slopes[:, None] * point - found)
        tl.store(gradient + (batch * count + i)[:, None] * d + k[None, :], found, mask=inside)
