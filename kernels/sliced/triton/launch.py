"""The Triton backend of the sliced engine: blocks of directions, launched one after the other.

A block of directions is projected on by a product of matrices, and another takes the slopes back to the points. Between
them short columns take one launch, a program each; long ones are sorted in chunks that are merged. What is kept beside
the gradients is a projection of each point on each direction of one block, which becomes the slope there.

Products within the programs would save two launches, and cost more than these: each program would read all points for
the few directions that it can sort, a fifth of what the matrix units take at least.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
import triton
from torch import Tensor

from ... import gpu
from ..op import ONE_LAUNCH as SHORT
from ..reference import quadrature
from .epps_pulley import epps_pulley_columns
from .long_columns import couple_chunks, merge_chunks, merge_step, sort_chunks
from .short_columns import short_columns

SHORT_UNEQUAL = SHORT // 2  # samples of different sizes need registers to walk along each other
CHUNK = 8192  # of a long column, sorted by one program
# Warps by the bytes of the keys that a program sorts: up to 128 bytes a thread stay in registers.
WARPS = {2**13: 4, 2**15: 8, 2**16: 16}
PASS = 2048  # keys a program of a pass over memory
KEPT = 2**23  # projections kept at a time: with their keys they fit in the second-level cache
ROWS_AT_ONCE = 1024  # points of a step over the batch in the Epps–Pulley kernel

Sort = Callable[[Tensor, bool], Tensor]


def sliced(
    inputs: Sequence[Tensor], needs: Sequence[bool], p: float, normal: bool, sort: Sort | None = None
) -> tuple[Tensor, ...]:
    """Value and gradients of `SlicedForm`: see there. `sort` sorts all columns, if given, as `sorted_keys` does."""
    x, y, theta = _points(inputs[0]), _points(inputs[1]), _directions(inputs[2])
    batch, n, m, count = len(x), x.shape[1], y.shape[1], theta.shape[1]
    slope_x, slope_y = needs[0] or needs[2], (needs[1] or needs[2]) and not normal
    totals = _Totals(inputs, needs)
    short = sort is None and max(n, m) <= (SHORT if n == m else SHORT_UNEQUAL)
    compare = _short if short else _long(sort or sorted_keys)
    for block in _blocks(batch * (n + m), theta):
        u, v = _project(x, block), y if normal else _project(y, block)
        values = compare(u, v, p, normal, slope_x, slope_y, 1 / count)
        totals.add(block, values, ((0, x, u),) if normal else ((0, x, u), (1, y, v)))
    return totals.result()


def epps_pulley(inputs: Sequence[Tensor], needs: Sequence[bool], n_points: int, t_max: float) -> tuple[Tensor, ...]:
    """Value and gradients of `EppsPulleyForm`: see there."""
    x, theta = _points(inputs[0]), _directions(inputs[1])
    batch, n, all_directions = len(x), x.shape[1], theta.shape[1]
    points = [t for t in quadrature(n_points, t_max)[0] if t > 0]
    totals = _Totals(inputs, needs)
    size = min(ROWS_AT_ONCE, max(64, triton.next_power_of_2(n)))
    for block in _blocks(batch * n, theta):
        u = _project(x, block)
        values = u.new_empty(u.shape[:2])
        epps_pulley_columns[values.numel(),](
            u, values, n, 1 / all_directions, points[0], 2 * t_max / (n_points - 1), len(points),
            DOUBLED=n_points % 2 == 0, SLOPE=any(needs), POINTS=triton.next_power_of_2(len(points)), SIZE=size,
            num_warps=4,
        )  # fmt: skip
        totals.add(block, values, ((0, x, u),))
    return totals.result()


def _short(u: Tensor, v: Tensor, p: float, normal: bool, slope_x: bool, slope_y: bool, scale: float) -> Tensor:
    """Values (batch, L) of columns u (batch, L, n) and v (batch, L, m), or means v (1, n, 1), which one program holds.

    Where slopes are wanted, they take the place of the columns.
    """
    n, m = u.shape[2], v.shape[1] if normal else v.shape[2]
    values = u.new_empty(u.shape[:2])
    size = max(64, triton.next_power_of_2(max(n, m)))
    short_columns[values.numel(),](
        u, v, values, n, m, scale, P=p, NORMAL=normal, EQUAL=n == m, SLOPE_U=slope_x, SLOPE_V=slope_y, SIZE=size,
        num_warps=_warps(8 * size), maxnreg=gpu.MOST_REGISTERS,
    )  # fmt: skip
    return values


def _long(sort: Sort) -> Callable[..., Tensor]:
    """The same for columns of any length: sorted in memory, then compared."""

    def compare(u: Tensor, v: Tensor, p: float, normal: bool, slope_x: bool, slope_y: bool, scale: float) -> Tensor:
        u_keys, v_keys = sort(u, slope_x), v if normal else sort(v, slope_y)
        values = _couple(u_keys, v_keys, u, p, normal, slope_x, scale)
        if slope_y:
            _couple(v_keys, u_keys, v, p, normal, slope_y, scale)
        return values

    return compare


def _project(x: Tensor, theta: Tensor) -> Tensor:
    """Columns (batch, L, n) of x (batch, n, d) on theta (batch or 1, L, d)."""
    return torch.bmm(theta.expand(len(x), -1, -1), x.float().mT)


def sorted_keys(columns: Tensor, indexed: bool) -> Tensor:
    """Sorted keys of the columns (..., n): 64-bit with their rows if `indexed`, otherwise 32-bit, values only."""
    n, many = columns.shape[-1], columns.numel() // columns.shape[-1]
    keys = torch.empty_like(columns, dtype=torch.int64 if indexed else torch.int32)
    size = min(CHUNK, max(64, triton.next_power_of_2(n)))
    chunks, warps = triton.cdiv(n, size), _warps(size * keys.element_size())
    sort_chunks[many * chunks,](columns, keys, n, chunks, INDEXED=indexed, SIZE=size, num_warps=warps)
    span = 2 * size
    while span < 2 * n:
        for reach in _halves(span, size):
            blocks = triton.cdiv(triton.cdiv(n, reach) * (reach // 2), PASS)
            merge_step[many * blocks,](keys, n, reach, blocks, MIRRORED=reach == span, SIZE=PASS, num_warps=8)
        merge_chunks[many * chunks,](keys, n, chunks, SIZE=size, num_warps=warps)
        span *= 2
    return keys


def _halves(span: int, size: int) -> Iterator[int]:
    """Spans of the steps of one merge that reach beyond a chunk."""
    while span > size:
        yield span
        span //= 2


def _couple(keys: Tensor, others: Tensor, slopes: Tensor, p: float, normal: bool, slope: bool, scale: float) -> Tensor:
    """Values (batch, L) of sorted columns against the others, and where asked for their slopes."""
    (batch, count, n), m = keys.shape, others.shape[1] if normal else others.shape[2]
    chunks = triton.cdiv(n, PASS)
    values = keys.new_empty(batch, count, chunks, dtype=torch.float32)
    couple_chunks[values.numel(),](
        keys, others, slopes, values, n, m, chunks, 0 if normal else m, scale, P=p, NORMAL=normal, EQUAL=n == m,
        SLOPE=slope, SIZE=PASS, num_warps=8,
    )  # fmt: skip
    return values.sum(-1)


class _Totals:
    """Value and gradients, added up over blocks of directions in their order."""

    def __init__(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> None:
        self._batch = inputs[0].shape[:-2]
        self._value: Tensor | None = None
        self._gradients = [
            torch.empty_like(i, dtype=torch.float32, memory_format=torch.contiguous_format)
            if need
            else i.new_empty(0, dtype=torch.float32)
            for i, need in zip(inputs, needs, strict=True)
        ]
        self._needs = needs
        self._first = 0

    def add(self, theta: Tensor, values: Tensor, slopes: Sequence[tuple[int, Tensor, Tensor]]) -> None:
        """A block's directions (batch or 1, L, d), values (batch, L) and, by input, points and slopes (batch, L, n)."""
        value = values.sum(-1)
        self._value = value if self._value is None else self._value + value
        for which, points, slope in slopes:
            directions = theta.expand(len(points), -1, -1)
            if self._needs[which]:
                total = self._gradients[which].view(points.shape)
                total.baddbmm_(slope.mT, directions, beta=float(self._first > 0))
            if self._needs[-1]:
                last = self._first + theta.shape[1]
                total = self._gradients[-1].view(len(points), theta.shape[2], -1)[..., self._first : last]
                total.baddbmm_(points.float().mT, slope.mT, beta=float(which > 0))
        self._first += theta.shape[1]

    def result(self) -> tuple[Tensor, ...]:
        assert self._value is not None  # there is a direction
        return self._value.view(self._batch), *self._gradients


def _points(x: Tensor) -> Tensor:
    """(batch, n, d), contiguous, in its own dtype."""
    return x.contiguous().view(-1, *x.shape[-2:])


def _directions(projections: Tensor) -> Tensor:
    """Directions in rows (batch, L, d), or (1, L, d) where all of the batch has the same."""
    while projections.dim() > 2 and projections.stride(0) == 0:
        projections = projections[0]
    return projections.mT.float().contiguous().view(-1, *projections.mT.shape[-2:])


def _blocks(points: int, theta: Tensor) -> Sequence[Tensor]:
    """The directions, so many at a time that the projections of all points on them are at most KEPT."""
    return theta.split(max(1, KEPT // points), dim=1)


def _warps(key_bytes: int) -> int:
    return next(warps for most, warps in WARPS.items() if key_bytes <= most)
