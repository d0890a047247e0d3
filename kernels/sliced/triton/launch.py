"""Triton backend of the sliced engine: one block of directions after another.

One matmul projects the points on a block of directions, and another maps the derivatives back to the points. In
between, short columns take one launch with a program per column; long ones are sorted in chunks that are merged. The
memory besides the gradients is one projection per point and direction of a block, overwritten by its derivative.

Matmuls inside the programs would save two launches but cost more: each program would read all points for the few
directions it can sort, at most a fifth of the width of the matrix units.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
import triton
from torch import Tensor

from ... import gpu
from ..op import MAX_SINGLE_LAUNCH
from ..reference import quadrature
from .epps_pulley import epps_pulley_columns
from .long_columns import couple_chunks, merge_chunks, merge_step, sort_chunks
from .short_columns import short_columns

MAX_SINGLE_LAUNCH_UNEQUAL = MAX_SINGLE_LAUNCH // 2  # merging samples of different sizes needs more registers
CHUNK = 8192  # points of a long column sorted by one program
# Warps by the bytes of the keys that a program sorts: up to 128 bytes per thread stay in registers.
WARPS = {2**13: 4, 2**15: 8, 2**16: 16}
KEYS_PER_PROGRAM = 2048  # keys per program of a pass over memory
MAX_PROJECTIONS = 2**23  # projections in memory at a time: with their keys they fit in the L2 cache
ROWS_PER_STEP = 1024  # points per step of the Epps–Pulley kernel

Sort = Callable[[Tensor, bool], Tensor]


def sliced(
    inputs: Sequence[Tensor], needs_grad: Sequence[bool], p: float, normal: bool, sort: Sort | None = None
) -> tuple[Tensor, ...]:
    """Compute value and gradients of a `SlicedDistance`.

    `sort`, with the interface of `sorted_keys`, replaces the single launch for columns of any length.
    """
    x, y, theta = _flatten(inputs[0]), _flatten(inputs[1]), _directions(inputs[2])
    batch, n, m, count = len(x), x.shape[1], y.shape[1], theta.shape[1]
    slope_x, slope_y = needs_grad[0] or needs_grad[2], (needs_grad[1] or needs_grad[2]) and not normal
    single_launch = sort is None and max(n, m) <= (MAX_SINGLE_LAUNCH if n == m else MAX_SINGLE_LAUNCH_UNEQUAL)
    compare = _compare_short if single_launch else _compare_long(sort or sorted_keys)
    with gpu.on_device_of(x):
        totals = _Totals(inputs, needs_grad)
        for block in _blocks(batch * (n + m), theta):
            u, v = _project(x, block), y if normal else _project(y, block)
            values = compare(u, v, p, normal, slope_x, slope_y, 1 / count)
            totals.add(block, values, ((0, x, u),) if normal else ((0, x, u), (1, y, v)))
        return totals.result()


def epps_pulley(
    inputs: Sequence[Tensor], needs_grad: Sequence[bool], n_points: int, t_max: float
) -> tuple[Tensor, ...]:
    """Compute value and gradients of an `EppsPulley` statistic."""
    x, theta = _flatten(inputs[0]), _directions(inputs[1])
    batch, n, count = len(x), x.shape[1], theta.shape[1]
    points = [t for t in quadrature(n_points, t_max)[0] if t > 0]
    size = min(ROWS_PER_STEP, max(64, triton.next_power_of_2(n)))
    with gpu.on_device_of(x):
        totals = _Totals(inputs, needs_grad)
        for block in _blocks(batch * n, theta):
            u = _project(x, block)
            values = u.new_empty(u.shape[:2])
            epps_pulley_columns[values.numel(),](
                u, values, n, 1 / count, points[0], 2 * t_max / (n_points - 1), len(points),
                DOUBLED=n_points % 2 == 0, SLOPE=any(needs_grad), POINTS=triton.next_power_of_2(len(points)),
                SIZE=size, num_warps=4,
            )  # fmt: skip
            totals.add(block, values, ((0, x, u),))
        return totals.result()


def _compare_short(u: Tensor, v: Tensor, p: float, normal: bool, slope_x: bool, slope_y: bool, scale: float) -> Tensor:
    """Compute values (batch, L) of columns u (batch, L, n) and v (batch, L, m), or means v (1, n, 1), in one launch.

    Derivatives, if needed, overwrite the columns.
    """
    n, m = u.shape[2], v.shape[1] if normal else v.shape[2]
    values = u.new_empty(u.shape[:2])
    size = max(64, triton.next_power_of_2(max(n, m)))
    short_columns[values.numel(),](
        u, v, values, n, m, scale, P=p, NORMAL=normal, EQUAL=n == m, SLOPE_U=slope_x, SLOPE_V=slope_y, SIZE=size,
        num_warps=_warps(8 * size), maxnreg=gpu.MAX_REGISTERS,
    )  # fmt: skip
    return values


def _compare_long(sort: Sort) -> Callable[..., Tensor]:
    """Return the same for columns of any length: sorted in memory, then compared."""

    def compare(u: Tensor, v: Tensor, p: float, normal: bool, slope_x: bool, slope_y: bool, scale: float) -> Tensor:
        u_keys, v_keys = sort(u, slope_x), v if normal else sort(v, slope_y)
        values = _couple(u_keys, v_keys, u, p, normal, slope_x, scale)
        if slope_y:
            _couple(v_keys, u_keys, v, p, normal, slope_y, scale)
        return values

    return compare


def _project(x: Tensor, theta: Tensor) -> Tensor:
    """Compute the columns (batch, L, n) of x (batch, n, d) projected on theta (batch or 1, L, d)."""
    return torch.bmm(theta.expand(len(x), -1, -1), x.float().mT)


def sorted_keys(columns: Tensor, indexed: bool) -> Tensor:
    """Return the sorted keys of columns (..., n): 64-bit with their rows if `indexed`, else 32-bit values only."""
    n, num_columns = columns.shape[-1], columns.numel() // columns.shape[-1]
    keys = torch.empty_like(columns, dtype=torch.int64 if indexed else torch.int32)
    size = min(CHUNK, max(64, triton.next_power_of_2(n)))
    chunks, warps = triton.cdiv(n, size), _warps(size * keys.element_size())
    sort_chunks[num_columns * chunks,](columns, keys, n, chunks, INDEXED=indexed, SIZE=size, num_warps=warps)
    span = 2 * size
    while span < 2 * n:
        for step in _merge_spans(span, size):
            blocks = triton.cdiv(triton.cdiv(n, step) * (step // 2), KEYS_PER_PROGRAM)
            merge_step[num_columns * blocks,](
                keys, n, step, blocks, MIRRORED=step == span, SIZE=KEYS_PER_PROGRAM, num_warps=8
            )
        merge_chunks[num_columns * chunks,](keys, n, chunks, SIZE=size, num_warps=warps)
        span *= 2
    return keys


def _merge_spans(span: int, size: int) -> Iterator[int]:
    """Yield the spans of the steps of one merge that are longer than a chunk."""
    while span > size:
        yield span
        span //= 2


def _couple(keys: Tensor, others: Tensor, slopes: Tensor, p: float, normal: bool, slope: bool, scale: float) -> Tensor:
    """Compute values (batch, L) of sorted columns coupled with the others, and their derivatives if needed."""
    (batch, count, n), m = keys.shape, others.shape[1] if normal else others.shape[2]
    chunks = triton.cdiv(n, KEYS_PER_PROGRAM)
    values = keys.new_empty(batch, count, chunks, dtype=torch.float32)
    couple_chunks[values.numel(),](
        keys, others, slopes, values, n, m, chunks, 0 if normal else m, scale, P=p, NORMAL=normal, EQUAL=n == m,
        SLOPE=slope, SIZE=KEYS_PER_PROGRAM, num_warps=8,
    )  # fmt: skip
    return values.sum(-1)


class _Totals:
    """Sums of value and gradients over blocks of directions, in their order."""

    def __init__(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> None:
        self._batch = inputs[0].shape[:-2]
        self._value: Tensor | None = None
        self._gradients = [
            torch.empty_like(i, dtype=torch.float32, memory_format=torch.contiguous_format)
            if need
            else i.new_empty(0, dtype=torch.float32)
            for i, need in zip(inputs, needs_grad, strict=True)
        ]
        self._needs_grad = needs_grad
        self._first = 0

    def add(self, theta: Tensor, values: Tensor, slopes: Sequence[tuple[int, Tensor, Tensor]]) -> None:
        """Add the values and gradients of one block.

        Args:
            theta: its directions (batch or 1, L, d).
            values: (batch, L).
            slopes: for each input its index, its points and the derivatives (batch, L, n).
        """
        value = values.sum(-1)
        self._value = value if self._value is None else self._value + value
        for i, points, slope in slopes:
            directions = theta.expand(len(points), -1, -1)
            if self._needs_grad[i]:
                total = self._gradients[i].view(points.shape)
                total.baddbmm_(slope.mT, directions, beta=float(self._first > 0))
            if self._needs_grad[-1]:
                last = self._first + theta.shape[1]
                total = self._gradients[-1].view(len(points), theta.shape[2], -1)[..., self._first : last]
                total.baddbmm_(points.float().mT, slope.mT, beta=float(i > 0))
        self._first += theta.shape[1]

    def result(self) -> tuple[Tensor, ...]:
        """Return the value (...,) and the gradients."""
        assert self._value is not None  # there is at least one direction
        return self._value.view(self._batch), *self._gradients


def _flatten(x: Tensor) -> Tensor:
    """Reshape to (batch, n, d), contiguous."""
    return x.contiguous().view(-1, *x.shape[-2:])


def _directions(projections: Tensor) -> Tensor:
    """Return the directions as rows (batch, L, d), or (1, L, d) if the whole batch shares them."""
    while projections.dim() > 2 and projections.stride(0) == 0:
        projections = projections[0]
    return projections.mT.float().contiguous().view(-1, *projections.mT.shape[-2:])


def _blocks(points: int, theta: Tensor) -> Sequence[Tensor]:
    """Split the directions so that a block of them has at most MAX_PROJECTIONS projections."""
    return theta.split(max(1, MAX_PROJECTIONS // points), dim=1)


def _warps(key_bytes: int) -> int:
    return next(warps for max_bytes, warps in WARPS.items() if key_bytes <= max_bytes)
