"""Triton backend of the pairwise engine: kernel launches.

`pairwise_sum` launches `pack_points`, then `sum_pairs` for the sample whose gradient is needed and for the one that
only adds to the value, then `reduce_partials` for each gradient: four launches for an MMD with its gradient with
respect to x. `nearest` launches one kernel for few coordinates, else two.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ... import gpu
from .nearest import nearest_by_differences, nearest_by_matmul
from .pairwise_sum import POINTS_PER_PROGRAM as _POINTS_PER_PROGRAM
from .pairwise_sum import pack_points, reduce_partials, sum_pairs
from .profiles import Arguments, arguments

POINTS_PER_PROGRAM = _POINTS_PER_PROGRAM.value
FEW_COORDINATES = 8  # coordinates up to which differences cost no more than matmul, and are exact
MAX_UNCHUNKED = 64  # coordinates of a tile of points that stay on the chip; more are loaded in chunks
FEW_POINTS = 512  # points up to which smaller tiles occupy more multiprocessors
PROGRAMS_PER_SM = 6  # twice as many as run at a time, so that the load is balanced when rows end early
MIN_TILES = 2  # tiles of columns per program


class Layout(NamedTuple):
    """Memory layout of the points in z.

    Args:
        width: coordinates with padding.
        few: whether they are few, and stored in float32 instead of bfloat16.
        planes: bfloat16 numbers per coordinate.
    """

    width: int
    few: bool
    planes: int = 1

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of z."""
        return torch.float32 if self.few else torch.bfloat16

    @property
    def parts(self) -> int:
        """Number of bfloat16 numbers per slope."""
        return max(2, self.planes)


class TileShape(NamedTuple):
    """Tile of pairs.

    Args:
        rows: points of its rows.
        columns: points of its columns.
        chunk: coordinates per step of the matmul of the distances.
        gradient_chunk: coordinates per step of the matmul of the gradient.
        warps: warps per program.
        stages: loads in flight.
    """

    rows: int
    columns: int
    chunk: int
    gradient_chunk: int
    warps: int
    stages: int


class Points(NamedTuple):
    """Output of `pack_points` for x (batches, n, d) and y (batches, m, d).

    Args:
        n: points of x.
        m: points of y.
        d: coordinates.
        batches: batch size.
        aligned: each sample starts at a row of z that is a multiple of it.
        z: (planes, batches, height, width).
        norms: (batches, height).
        max_norms: (batches, tiles of POINTS_PER_PROGRAM points).
    """

    n: int
    m: int
    d: int
    batches: int
    aligned: int
    z: Tensor
    norms: Tensor
    max_norms: Tensor

    @property
    def first_y(self) -> int:
        """First row of y in z."""
        return -(-self.n // self.aligned) * self.aligned


class TileSchedule(NamedTuple):
    """Tiles that one launch of `sum_pairs` computes: rows of one sample against a range of columns.

    Args:
        first_tile: first tile of rows.
        tiles: number of tiles of rows.
        first_column: first tile of columns.
        last_column: end of the tiles of columns.
        values: weights of φ for columns of the same sample and of the other.
        slopes: weights of its slope, likewise.
        gradient: whether the gradient is computed.
        splits: number of ranges of columns.
        chunks: number of ranges of the gradient's coordinates.
    """

    first_tile: int
    tiles: int
    first_column: int
    last_column: int
    values: tuple[float, float]
    slopes: tuple[float, float]
    gradient: bool
    splits: int = 1
    chunks: int = 1


def layout_of(x: Tensor, *, inner: bool) -> Layout:
    """Return the layout of points like x: one bfloat16 number for bfloat16, two for float16, three for float32.

    Two for float32 if PyTorch allows it: `torch.set_float32_matmul_precision("high")` allows matmuls with each operand
    as "the sum of two bfloat16 numbers".
    """
    d = x.shape[-1]
    if d <= FEW_COORDINATES and not inner:
        return Layout(d, few=True)
    width = max(16, 1 << (d - 1).bit_length()) if d <= MAX_UNCHUNKED else -(-d // 128) * 128
    float32_planes = 3 if gpu.input_precision() == "tf32x3" else 2
    return Layout(width, False, {torch.bfloat16: 1, torch.float16: 2, torch.float32: float32_planes}[x.dtype])


def tile_shape(layout: Layout, points: int, *, tensor_memory: bool) -> TileShape:
    """Return the tile shape by coordinates and points: smaller tiles spread few points over more programs.

    Tiles are small enough for several programs per multiprocessor, so that profiles and matmuls overlap.
    """
    side = 16 if points <= 16 else 32
    if layout.few:
        return TileShape(side, side, 16, 16, 4, 2)
    rows = side if points <= FEW_POINTS else 64
    if layout.width <= MAX_UNCHUNKED:
        return TileShape(rows, side, layout.width, layout.width, 4, 2)
    return TileShape(rows, side, 32, 64 if tensor_memory else 128, 4, 2)


def pairwise_sum(
    x: Tensor,
    y: Tensor,
    profile: str,
    parameters: Sequence[float],
    weights: Sequence[float],
    diagonal: bool,
    needs_grad: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute value and gradients of a `PairwiseSum`."""
    if needs_grad[1] and not needs_grad[0]:
        value, grad_y, grad_x = pairwise_sum(y, x, profile, parameters, weights[::-1], diagonal, (True, False))
        return value, grad_x, grad_y
    layout = layout_of(x, inner=profile == "polynomial")
    phi = arguments(profile, tuple(parameters), few_registers=layout.width > MAX_UNCHUNKED)
    with gpu.on_device_of(x):
        return _pairwise_sum(x.contiguous(), y.contiguous(), layout, phi, weights, diagonal, needs_grad)


def _pairwise_sum(
    x: Tensor,
    y: Tensor,
    layout: Layout,
    phi: Arguments,
    weights: Sequence[float],
    diagonal: bool,
    needs_grad: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    tile = tile_shape(layout, max(x.shape[-2], y.shape[-2]), tensor_memory=gpu.has_tensor_memory(x))
    points = _pack(x, y, layout, tile, centered=not phi.inner)
    schedules = _schedules(points, weights, needs_grad, tile)
    values, gradients, sums = _sum_all(schedules, points, phi, layout, tile, diagonal=diagonal and phi.inner)
    value = x.new_empty(x.shape[:-2], dtype=torch.float32)
    outputs = [value.new_empty(z.shape if need else 0) for z, need in zip((x, y), needs_grad, strict=True)]
    # for distances, the pair of a point with itself is a constant without gradient
    constant = phi.phi0 * (weights[0] * points.n + weights[2] * points.m) if diagonal and not phi.inner else 0.0
    rows = [(outputs[c], schedules[c].splits, (0, points.first_y)[c], points[c]) for c in (0, 1) if needs_grad[c]]
    for gradient, splits, first, count in rows or [(value, 0, 0, 0)]:
        programs = max(1, -(-count // POINTS_PER_PROGRAM))
        reduce_partials[points.batches * programs,](
            values, gradients, sums, points.z, value, gradient, constant, *points[:4], values.shape[1], splits, first,
            count, programs, WIDTH=layout.width, FEW=layout.few, PLANES=layout.planes, ALIGNED=points.aligned,
            CHUNK=min(32, tile.chunk), INNER=phi.inner, num_warps=4,
        )  # fmt: skip
    return value, outputs[0], outputs[1]


def _pack(x: Tensor, y: Tensor, layout: Layout, tile: TileShape, *, centered: bool) -> Points:
    (n, d), m, batches = x.shape[-2:], y.shape[-2], x.shape[:-2].numel()
    # for tiny samples rows of padding cost more than unmasked loads save
    aligned = 1 if layout.few or tile.rows == 16 else tile.rows
    height = (-(-n // aligned) + -(-m // aligned)) * aligned
    programs = -(-n // POINTS_PER_PROGRAM) + -(-m // POINTS_PER_PROGRAM)
    z = x.new_empty((layout.planes, batches, height, layout.width), dtype=layout.dtype)
    norms, max_norms = (x.new_empty((batches, k), dtype=torch.float32) for k in (height, programs))
    pack_points[batches * programs,](
        x, y, z, norms, max_norms, n, m, d, batches, WIDTH=layout.width,
        CHUNK=min(32 if aligned > 1 else 16, tile.chunk),
        CENTERED=centered and (layout.few or x.dtype == torch.float32), PLANES=layout.planes, ALIGNED=aligned,
        num_warps=4,
    )  # fmt: skip
    return Points(n, m, d, batches, aligned, z, norms, max_norms)


def _schedules(
    points: Points, weights: Sequence[float], needs_grad: Sequence[bool], tile: TileShape
) -> tuple[TileSchedule, TileSchedule]:
    """Return the schedules of x and y. Pairs (x, y) count in the value of x; blocks of weight 0 are left out."""
    xx, xy, yy = weights
    n, m = points.n, points.m
    x_tiles, y_tiles = -(-n // tile.rows), -(-m // tile.rows)
    middle, end = -(-n // tile.columns), -(-n // tile.columns) + -(-m // tile.columns)
    first_y_column = 0 if xy and needs_grad[1] else middle
    schedules = (
        TileSchedule(0, x_tiles, 0 if xx else middle, end if xy else middle, (xx, xy), (2 * xx, xy), needs_grad[0]),
        TileSchedule(x_tiles, y_tiles, first_y_column, end if yy else middle, (yy, 0.0), (2 * yy, xy), needs_grad[1]),
    )
    return _split(schedules[0], points, tile), _split(schedules[1], points, tile)


def _split(schedule: TileSchedule, points: Points, tile: TileShape) -> TileSchedule:
    """Split the columns, if rows are few, so that there are enough programs for the device."""
    chunks = -(-points.z.shape[-1] // tile.gradient_chunk) if schedule.gradient else 1
    max_splits = PROGRAMS_PER_SM * gpu.num_sms(points.z) // max(1, points.batches * schedule.tiles * chunks)
    splits = max(1, min(max_splits, (schedule.last_column - schedule.first_column) // MIN_TILES))
    return schedule._replace(splits=splits, chunks=chunks)


def _sum_all(
    schedules: Sequence[TileSchedule],
    points: Points,
    phi: Arguments,
    layout: Layout,
    tile: TileShape,
    *,
    diagonal: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute partial values (batches, parts) and gradients (splits, batches, height, width), and sums of slopes.

    The sums of slopes have the shape of the gradients without the last dimension.
    """
    schedules = [s for s in schedules if s.tiles and (s.gradient or s.last_column > s.first_column)]
    parts = [s.tiles * s.splits for s in schedules]
    max_splits = max((s.splits for s in schedules if s.gradient), default=0)
    shape = (max_splits, *points.z.shape[1:])
    values = points.z.new_empty((points.batches, sum(parts)), dtype=torch.float64)
    gradients = points.z.new_empty(shape, dtype=torch.float32)
    sums = points.z.new_empty(shape[:-1], dtype=torch.float32)
    for i, s in enumerate(schedules):
        sum_pairs[points.batches * parts[i] * s.chunks,](
            points.z, points.norms, points.max_norms, values, gradients, sums, points.n, points.m,
            points.batches, *s[:4], s.splits, s.chunks, sum(parts), sum(parts[:i]), *s.values, *s.slopes,
            points.max_norms.shape[1], phi.reach, phi.numbers,
            LIMITED=math.isfinite(phi.reach), PHI=phi.function, INNER=phi.inner, DIAGONAL=diagonal,
            GRADIENT=s.gradient, WIDTH=layout.width, FEW=layout.few, PLANES=layout.planes, PARTS=layout.parts,
            ALIGNED=points.aligned,
            CHUNK=tile.chunk, GRADIENT_CHUNK=tile.gradient_chunk, ROWS=tile.rows, COLUMNS=tile.columns,
            num_warps=tile.warps, num_stages=tile.stages,
        )  # fmt: skip
    return values, gradients, sums


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """Compute the indices of the nearest points of `neighbors.nearest`."""
    x, y = x.contiguous(), y.contiguous()
    (n, d), m, batches = x.shape[-2:], y.shape[-2], x.shape[:-2].numel()
    index = x.new_empty(x.shape[:-1], dtype=torch.int64)
    layout = layout_of(x, inner=False)
    tile = tile_shape(layout, max(n, m), tensor_memory=gpu.has_tensor_memory(x))
    programs = -(-n // tile.rows)
    with gpu.on_device_of(x):
        if layout.few:
            nearest_by_differences[batches * programs,](
                x, y, index, n, m, programs, D=d, ROWS=tile.rows, COLUMNS=tile.columns, num_warps=tile.warps,
            )  # fmt: skip
            return index
        points = _pack(x, y, layout, tile, centered=True)
        nearest_by_matmul[batches * programs,](
            points.z, points.norms, index, n, m, programs, batches, WIDTH=layout.width, CHUNK=tile.chunk,
            PLANES=layout.planes, ALIGNED=points.aligned, ROWS=tile.rows, COLUMNS=tile.columns, num_warps=tile.warps,
            num_stages=tile.stages,
        )  # fmt: skip
    return index
