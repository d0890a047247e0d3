"""The Triton backend of the pairwise engine: tensors in, launches.

`form` launches `prepare`, then `walk` for the points whose gradient is wanted and for those that only add to the value,
then `finish` once for each gradient: four launches for an MMD with its gradient to x. `nearest` launches one kernel for
few coordinates, else two.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ... import gpu
from .nearest import nearest_by_differences, nearest_by_products
from .pairwise_sum import PREPARED as _PREPARED
from .pairwise_sum import finish, prepare, walk
from .profiles import Arguments, arguments

PREPARED = _PREPARED.value
FEW_COORDINATES = 8  # up to so many, differences cost no more than products, and are exact
MOST_WHOLE = 64  # coordinates of a tile of points that stay on the chip; more are taken in chunks
FEW_POINTS = 512  # up to so many, smaller tiles keep more processors busy
PROGRAMS_A_PROCESSOR = 6  # twice what one holds at a time: where rows end early, others begin
LEAST_TILES = 2  # of columns that are worth a program


class Layout(NamedTuple):
    """How points lie in z, and the units that multiply them."""

    width: int  # coordinates with padding
    few: bool  # and held in float32
    planes: int = 1  # otherwise: bfloat16 numbers for each coordinate

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32 if self.few else torch.bfloat16

    @property
    def parts(self) -> int:
        """bfloat16 numbers for each slope."""
        return max(2, self.planes)


class Tiles(NamedTuple):
    """A tile of pairs: points, coordinates at a time in the two products, warps, loads ahead."""

    rows: int
    columns: int
    chunk: int
    gradient_chunk: int
    warps: int
    stages: int


class Points(NamedTuple):
    """What `prepare` makes of x (batches, n, d) and y (batches, m, d)."""

    n: int
    m: int
    d: int
    batches: int
    aligned: int  # rows of z at a multiple of which each cloud starts
    z: Tensor  # (planes, batches, height, width)
    norms: Tensor  # (batches, height)
    greatest: Tensor  # (batches, tiles of PREPARED points)

    @property
    def first_of_y(self) -> int:
        return -(-self.n // self.aligned) * self.aligned


class Walk(NamedTuple):
    """The walk of one cloud's points: tiles of rows and of columns, and weights beside its own cloud and the other."""

    first_tile: int
    tiles: int
    first_column: int
    last_column: int
    values: tuple[float, float]
    slopes: tuple[float, float]
    gradient: bool
    splits: int = 1  # of the columns
    chunks: int = 1  # of the gradient's coordinates


def layout(x: Tensor, *, inner: bool) -> Layout:
    """bfloat16 stays as it is, float16 is two such numbers, float32 three, or two where PyTorch was allowed that.

    `torch.set_float32_matmul_precision("high")` allows products as of "the sum of two bfloat16 numbers", in its words.
    """
    d = x.shape[-1]
    if d <= FEW_COORDINATES and not inner:
        return Layout(d, few=True)
    width = max(16, 1 << (d - 1).bit_length()) if d <= MOST_WHOLE else -(-d // 128) * 128
    whole = 3 if gpu.input_precision() == "tf32x3" else 2
    return Layout(width, False, {torch.bfloat16: 1, torch.float16: 2, torch.float32: whole}[x.dtype])


def tiles(held: Layout, points: int, *, tensor_memory: bool) -> Tiles:
    """The table: by coordinates and points. Few points are spread over more programs by smaller tiles.

    Tiles are so small that several programs share a multiprocessor, and one computes profiles while others multiply.
    """
    side = 16 if points <= 16 else 32
    if held.few:
        return Tiles(side, side, 16, 16, 4, 2)
    rows = side if points <= FEW_POINTS else 64
    if held.width <= MOST_WHOLE:
        return Tiles(rows, side, held.width, held.width, 4, 2)
    return Tiles(rows, side, 32, 64 if tensor_memory else 128, 4, 2)


def form(
    x: Tensor,
    y: Tensor,
    profile: str,
    parameters: Sequence[float],
    weights: Sequence[float],
    diagonal: bool,
    needs: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """Value and gradients of `PairwiseForm`: see there."""
    if needs[1] and not needs[0]:
        value, of_y, of_x = form(y, x, profile, parameters, weights[::-1], diagonal, (True, False))
        return value, of_x, of_y
    held = layout(x, inner=profile == "polynomial")
    phi = arguments(profile, tuple(parameters), brief=held.width > MOST_WHOLE)
    with gpu.on_device_of(x):
        return _form(x.contiguous(), y.contiguous(), held, phi, weights, diagonal, needs)


def _form(
    x: Tensor, y: Tensor, held: Layout, phi: Arguments, weights: Sequence[float], diagonal: bool, needs: Sequence[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    tile = tiles(held, max(x.shape[-2], y.shape[-2]), tensor_memory=gpu.tensor_memory(x))
    points = _prepare(x, y, held, tile, centred=not phi.inner)
    walks = _walks(points, weights, needs, tile)
    values, gradients, sums = _walk_all(walks, points, phi, held, tile, diagonal=diagonal and phi.inner)
    value = x.new_empty(x.shape[:-2], dtype=torch.float32)
    of_clouds = [value.new_empty(cloud.shape if need else 0) for cloud, need in zip((x, y), needs, strict=True)]
    # of distances, a point's pair with itself is a constant, which moves nothing
    constant = phi.of_itself * (weights[0] * points.n + weights[2] * points.m) if diagonal and not phi.inner else 0.0
    rows = [(of_clouds[c], walks[c].splits, (0, points.first_of_y)[c], points[c]) for c in (0, 1) if needs[c]]
    for gradient, splits, first, count in rows or [(value, 0, 0, 0)]:
        programs = max(1, -(-count // PREPARED))
        finish[points.batches * programs,](
            values, gradients, sums, points.z, value, gradient, constant, *points[:4], values.shape[1], splits, first,
            count, programs, WIDTH=held.width, FEW=held.few, PLANES=held.planes, ALIGNED=points.aligned,
            CHUNK=min(32, tile.chunk), INNER=phi.inner, num_warps=4,
        )  # fmt: skip
    return value, of_clouds[0], of_clouds[1]


def _prepare(x: Tensor, y: Tensor, held: Layout, tile: Tiles, *, centred: bool) -> Points:
    (n, d), m, batches = x.shape[-2:], y.shape[-2], x.shape[:-2].numel()
    # rows of padding cost tiny clouds more than unbroken loads bring them
    aligned = 1 if held.few or tile.rows == 16 else tile.rows
    height = (-(-n // aligned) + -(-m // aligned)) * aligned
    programs = -(-n // PREPARED) + -(-m // PREPARED)
    z = x.new_empty((held.planes, batches, height, held.width), dtype=held.dtype)
    norms, greatest = (x.new_empty((batches, k), dtype=torch.float32) for k in (height, programs))
    prepare[batches * programs,](
        x, y, z, norms, greatest, n, m, d, batches, WIDTH=held.width,
        CHUNK=min(32 if aligned > 1 else 16, tile.chunk), CENTRED=centred and (held.few or x.dtype == torch.float32),
        PLANES=held.planes, ALIGNED=aligned, num_warps=4,
    )  # fmt: skip
    return Points(n, m, d, batches, aligned, z, norms, greatest)


def _walks(points: Points, weights: Sequence[float], needs: Sequence[bool], tile: Tiles) -> tuple[Walk, Walk]:
    """The walks of x and of y. Pairs across count in the value of x; blocks of weight 0 are left out."""
    xx, xy, yy = weights
    n, m = points.n, points.m
    tiles_of_x, tiles_of_y = -(-n // tile.rows), -(-m // tile.rows)
    middle, end = -(-n // tile.columns), -(-n // tile.columns) + -(-m // tile.columns)
    across = xy if needs[1] else 0
    walks = (
        Walk(0, tiles_of_x, 0 if xx else middle, end if xy else middle, (xx, xy), (2 * xx, xy), needs[0]),
        Walk(tiles_of_x, tiles_of_y, 0 if across else middle, end if yy else middle, (yy, 0.0), (2 * yy, xy), needs[1]),
    )
    return _split(walks[0], points, tile), _split(walks[1], points, tile)


def _split(walk: Walk, points: Points, tile: Tiles) -> Walk:
    """Enough programs for the device: where rows are few, their columns are split."""
    chunks = -(-points.z.shape[-1] // tile.gradient_chunk) if walk.gradient else 1
    wanted = PROGRAMS_A_PROCESSOR * gpu.processors(points.z) // max(1, points.batches * walk.tiles * chunks)
    splits = max(1, min(wanted, (walk.last_column - walk.first_column) // LEAST_TILES))
    return walk._replace(splits=splits, chunks=chunks)


def _walk_all(
    walks: Sequence[Walk], points: Points, phi: Arguments, held: Layout, tile: Tiles, *, diagonal: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Partial values (batches, parts), gradients (splits, batches, height, width), sums of slopes without the last."""
    walks = [w for w in walks if w.tiles and (w.gradient or w.last_column > w.first_column)]
    parts = [w.tiles * w.splits for w in walks]
    most = max((w.splits for w in walks if w.gradient), default=0)
    shape = (most, *points.z.shape[1:])
    values = points.z.new_empty((points.batches, sum(parts)), dtype=torch.float64)
    gradients, sums = (points.z.new_empty(s, dtype=torch.float32) for s in (shape, shape[:-1]))
    for i, w in enumerate(walks):
        walk[points.batches * parts[i] * w.chunks,](
            points.z, points.norms, points.greatest, values, gradients, sums, points.n, points.m,
            points.batches, *w[:4], w.splits, w.chunks, sum(parts), sum(parts[:i]), *w.values, *w.slopes,
            points.greatest.shape[1], phi.reach, phi.numbers,
            LIMITED=math.isfinite(phi.reach), PHI=phi.function, INNER=phi.inner, DIAGONAL=diagonal,
            GRADIENT=w.gradient, WIDTH=held.width, FEW=held.few, PLANES=held.planes, PARTS=held.parts,
            ALIGNED=points.aligned,
            CHUNK=tile.chunk, GRADIENT_CHUNK=tile.gradient_chunk, ROWS=tile.rows, COLUMNS=tile.columns,
            num_warps=tile.warps, num_stages=tile.stages,
        )  # fmt: skip
    return values, gradients, sums


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """Indices of the nearest points: see `nearest` of the engine."""
    x, y = x.contiguous(), y.contiguous()
    (n, d), m, batches = x.shape[-2:], y.shape[-2], x.shape[:-2].numel()
    index = x.new_empty(x.shape[:-1], dtype=torch.int64)
    held = layout(x, inner=False)
    tile = tiles(held, max(n, m), tensor_memory=gpu.tensor_memory(x))
    programs = -(-n // tile.rows)
    with gpu.on_device_of(x):
        if held.few:
            nearest_by_differences[batches * programs,](
                x, y, index, n, m, programs, D=d, ROWS=tile.rows, COLUMNS=tile.columns, num_warps=tile.warps,
            )  # fmt: skip
            return index
        points = _prepare(x, y, held, tile, centred=True)
        nearest_by_products[batches * programs,](
            points.z, points.norms, index, n, m, programs, batches, WIDTH=held.width, CHUNK=tile.chunk,
            PLANES=held.planes, ALIGNED=points.aligned, ROWS=tile.rows, COLUMNS=tile.columns, num_warps=tile.warps,
            num_stages=tile.stages,
        )  # fmt: skip
    return index
