"""Geometric means of matrices that one multiprocessor holds: the iteration of coupled_iteration.py for a whole batch.

One program takes a problem from its covariances to its means. Matrices lie in scratch memory of the program's own,
which stays in the caches, and are multiplied block by block, so that neither registers nor shared memory bound d.
float32 goes first, and stops as soon as the residual is small. What two rounds do not bring there has a condition
number of AB beyond a few thousand, and a second launch, which passes over all else, takes it again in float64: the
choice is made on the device, matrix by matrix.
"""

import triton
import triton.language as tl

from ...split_bf16 import multiply
from .. import coupled_iteration

NEAR_IDENTITY = tl.constexpr(6.5e-3)  # ‖I − G‖_F/√d from where the last step reaches rounding: a round leaves 0.006
# ‖I − G‖_F/d: what float32 does not bring there is taken in float64. Rounding leaves 6e-8 of it at condition numbers of
# AB of 10, 2e-7 at 1e3 and 4e-7 at 1e4, whatever d, and twenty times as much in the gradient.
CONVERGED = tl.constexpr(2.5e-7)
CUSHION = tl.constexpr(coupled_iteration.CUSHION)
A1, B1, C1 = (tl.constexpr(c) for c in coupled_iteration.ROUND[0])
A2, B2, C2 = (tl.constexpr(c) for c in coupled_iteration.ROUND[1])
A3, B3, C3 = (tl.constexpr(c) for c in coupled_iteration.ROUND[2])
A0, B0, C0 = (tl.constexpr(c) for c in coupled_iteration.LAST)


@triton.jit
def places(row, column, BLOCK: tl.constexpr, stride):
    """Offsets of a block in a row-major matrix."""
    at = tl.arange(0, BLOCK)
    return (row * BLOCK + at)[:, None] * stride + (column * BLOCK + at)[None, :]


@triton.jit
def identity_block(row, column, d, BLOCK: tl.constexpr, TYPE: tl.constexpr = tl.float64):
    """A block of I (d, d), with zeros around it."""
    at = tl.arange(0, BLOCK)
    i, j = (row * BLOCK + at)[:, None], (column * BLOCK + at)[None, :]
    return ((i == j) & (i < d)).to(TYPE)


@triton.jit
def product(a, b, row, column, d, SIZE: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr):
    """A block of AB, for matrices (d, d) with zeros around them: float32 with all its digits, or float64."""
    at, along = tl.arange(0, BLOCK), tl.arange(0, DEPTH)
    left = a + (row * BLOCK + at)[:, None] * SIZE + along[None, :]
    right = b + along[:, None] * SIZE + (column * BLOCK + at)[None, :]
    kind: tl.constexpr = a.dtype.element_ty
    total = tl.zeros((BLOCK, BLOCK), kind)
    for k in range(0, tl.cdiv(d, BLOCK) * BLOCK, DEPTH):
        x, y = tl.load(left + k), tl.load(right + k * SIZE)
        total = tl.dot(x, y, total, out_dtype=kind) if kind == tl.float64 else multiply(x, y, total)
    return total


@triton.jit
def combine(scratch, to, left, right, a, b, c, d, SIZE: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr):
    """a·I + b·LEFT + c·LEFT·RIGHT, into memory that holds neither, for every thread to see."""
    kind: tl.constexpr = scratch.dtype.element_ty
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            at = places(row, column, BLOCK, SIZE)
            found = c.to(kind) * product(scratch + left, scratch + right, row, column, d, SIZE, BLOCK, DEPTH)
            found += a.to(kind) * identity_block(row, column, d, BLOCK, kind)
            tl.store(scratch + to + at, found + b.to(kind) * tl.load(scratch + left + at))
    tl.debug_barrier()


@triton.jit
def distance_from_identity(g, d, SIZE: tl.constexpr, BLOCK: tl.constexpr):
    """‖I − G‖_F²."""
    total = tl.zeros((BLOCK, BLOCK), tl.float64)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            block = tl.load(g + places(row, column, BLOCK, SIZE)).to(tl.float64)
            block -= identity_block(row, column, d, BLOCK)
            total += block * block
    return tl.sum(total)


@triton.jit
def trace_of_square(g, d, SIZE: tl.constexpr, BLOCK: tl.constexpr):
    """Tr G²."""
    total = tl.zeros((BLOCK, BLOCK), tl.float64)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            block = tl.load(g + places(row, column, BLOCK, SIZE)).to(tl.float64)
            total += block * tl.trans(tl.load(g + places(column, row, BLOCK, SIZE))).to(tl.float64)
    return tl.sum(total)


@triton.jit
def one_of(stage, zero, one, two, three, four):
    """What belongs to that stage of a step."""
    return tl.where(
        stage == 0, zero, tl.where(stage == 1, one, tl.where(stage == 2, two, tl.where(stage == 3, three, four)))
    )


@triton.jit
def iterate(
    scratch, d, ROUNDS: tl.constexpr, SIZE: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr, PATCH: tl.constexpr
):
    """T, R → PT, RP, from the first two of four matrices; where they and G end, and ‖I − G‖_F².

    A step is four products: P of G, PT in the place of G, RP in that of T, and the new G in that of R. Before the first
    there are only G and, for the greatest root, G².
    """
    area: tl.constexpr = SIZE * SIZE
    g, t, r, p = 0, area, 2 * area, 3 * area
    zero, one = tl.full((), 0.0, tl.float64), tl.full((), 1.0, tl.float64)
    a, b, c, step, begin, end, going, residual = zero, zero, zero, -1, 3, 5, True, zero
    while going:
        for stage in range(begin, end):
            combine(
                scratch, one_of(stage, p, g, t, r, p), one_of(stage, g, p, r, g, r), one_of(stage, g, t, p, t, r),
                tl.where(stage == 0, a, zero), tl.where(stage == 0, b, zero), tl.where(stage == 0, c, one),
                d, SIZE, BLOCK, DEPTH,
            )  # fmt: skip
        g, t, r = r, g, t
        step += 1
        residual = distance_from_identity(scratch + g, d, SIZE, PATCH)
        going = (residual > CONVERGED * CONVERGED * d * d) & (step <= 3 * ROUNDS)
        last = (residual <= NEAR_IDENTITY * NEAR_IDENTITY * d) | (step == 3 * ROUNDS)
        which = tl.where(last, 3, step % 3)
        by = tl.where(which == 0, CUSHION * one, one)
        if step == 0:  # as `coupled_iteration.first_scale`
            greatest = tl.sqrt(tl.sqrt(tl.sqrt(tl.maximum(trace_of_square(scratch + p, d, SIZE, PATCH), 0.0))))
            by = CUSHION / tl.maximum(greatest, 1 / tl.sqrt(d * one))
        a = by * one_of(which, A1 * one, A2 * one, A3 * one, A0 * one, one)
        b = by * by * by * one_of(which, B1 * one, B2 * one, B3 * one, B0 * one, one)
        c = by * by * by * by * by * one_of(which, C1 * one, C2 * one, C3 * one, C0 * one, one)
        begin, end = 0, 4
    return t, r, g, residual


@triton.jit
def block_of(matrix, row, column, d, BLOCK: tl.constexpr, IDENTITY: tl.constexpr):
    """A block of a float64 matrix (d, d), or of I, with zeros around it."""
    if IDENTITY:
        return identity_block(row, column, d, BLOCK)
    at = tl.arange(0, BLOCK)
    i, j = (row * BLOCK + at)[:, None], (column * BLOCK + at)[None, :]
    return tl.load(matrix + i * d + j, mask=(i < d) & (j < d), other=0.0)


@triton.jit
def norm_of(matrix, d, BLOCK: tl.constexpr, IDENTITY: tl.constexpr):
    """‖A‖_F, 1 for 0."""
    total = tl.zeros((BLOCK, BLOCK), tl.float64)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            a = block_of(matrix, row, column, d, BLOCK, IDENTITY)
            total += a * a
    squares = tl.sum(total)
    return tl.where(squares == 0, 1.0, tl.sqrt(squares))


@triton.jit
def trace_of(matrix, d, SIZE: tl.constexpr, IDENTITY: tl.constexpr):
    """Tr A."""
    at = tl.arange(0, SIZE).to(tl.int64)
    if IDENTITY:
        return tl.sum((at < d).to(tl.float64))
    return tl.sum(tl.load(matrix + at * (d + 1), mask=at < d, other=0.0))


@triton.jit
def store_scaled(to, matrix, scale, d, SIZE: tl.constexpr, BLOCK: tl.constexpr, IDENTITY: tl.constexpr):
    """A times its scale into scratch memory, in its type."""
    for row in range(SIZE // BLOCK):
        for column in range(SIZE // BLOCK):
            a = block_of(matrix, row, column, d, BLOCK, IDENTITY) * scale
            tl.store(to + places(row, column, BLOCK, SIZE), a.to(to.dtype.element_ty))


@triton.jit
def inner(matrix, x, d, SIZE: tl.constexpr, BLOCK: tl.constexpr, IDENTITY: tl.constexpr):
    """⟨A, X⟩ in float64."""
    total = tl.zeros((BLOCK, BLOCK), tl.float64)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            a = block_of(matrix, row, column, d, BLOCK, IDENTITY)
            total += a * tl.load(x + places(row, column, BLOCK, SIZE)).to(tl.float64)
    return tl.sum(total)


@triton.jit
def write_mean(to, x, scale, d, SIZE: tl.constexpr, BLOCK: tl.constexpr):
    """A matrix (d, d) for the caller, times its scale."""
    at = tl.arange(0, BLOCK)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            i, j = (row * BLOCK + at)[:, None], (column * BLOCK + at)[None, :]
            block = tl.load(x + places(row, column, BLOCK, SIZE)).to(tl.float64) * scale
            tl.store(to + i * d + j, block.to(to.dtype.element_ty), mask=(i < d) & (j < d))
    tl.debug_barrier()


@triton.jit
def squared_distance(mean, other, d, SIZE: tl.constexpr, MEANS: tl.constexpr):
    """‖μ₁ − μ₂‖² of `MEANS` means: 0, the first alone, or both."""
    at = tl.arange(0, SIZE)
    shift = tl.zeros((SIZE,), tl.float64)
    if MEANS > 0:
        shift += tl.load(mean + at, mask=at < d, other=0.0)
    if MEANS > 1:
        shift -= tl.load(other + at, mask=at < d, other=0.0)
    return tl.sum(shift * shift)


@triton.jit
def means_kernel(
    a, b, mean, other, scratch, residual, trace, value, first, second, batch, d, AGAIN: tl.constexpr,
    ROUNDS: tl.constexpr, MEANS: tl.constexpr, IDENTITY: tl.constexpr, FIRST: tl.constexpr, SECOND: tl.constexpr,
    SIZE: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr, PATCH: tl.constexpr,
):  # fmt: skip
    """Tr(AB)^{1/2}, ‖μ₁ − μ₂‖² + Tr(A + B − 2(AB)^{1/2}), A⁻¹ # B and B⁻¹ # A of a batch, in the type of `scratch`.

    Args:
        a, b: float64 (batch, d, d); b is not read with IDENTITY, which stands for I.
        mean, other: float64 (batch, d), as many as MEANS says.
        scratch: (programs, 4, SIZE, SIZE), for products in blocks of BLOCK, DEPTH at a time; all else in PATCHes.
        residual, trace: float64 (batch,), as in `Means`; AGAIN: what has already converged is left as it is.
        value: (batch,).
        first, second: (batch, d, d), written with FIRST and SECOND.
    """
    area: tl.constexpr = SIZE * SIZE
    zero, one = tl.full((), 0.0, tl.float64), tl.full((), 1.0, tl.float64)
    begin: tl.constexpr = 0 if FIRST else 1
    end: tl.constexpr = 2 if SECOND else 1
    program = tl.program_id(0).to(tl.int64)
    scratch += program * 4 * area
    for problem in range(program, batch, tl.num_programs(0)):
        wanted = True
        if AGAIN:
            wanted = ~(tl.load(residual + problem) <= CONVERGED * CONVERGED * d * d)
        if wanted:
            at = problem * d * d
            norm_a, norm_b = norm_of(a + at, d, PATCH, False), norm_of(b + at, d, PATCH, IDENTITY)
            of_a, of_b = 1 / norm_a, 1 / norm_b
            store_scaled(scratch, a + at, of_a, d, SIZE, PATCH, False)
            store_scaled(scratch + area, b + at, of_b, d, SIZE, PATCH, IDENTITY)
            tl.debug_barrier()
            t, r, g, left = iterate(scratch, d, ROUNDS, SIZE, BLOCK, DEPTH, PATCH)
            root = of_a * inner(a + at, scratch + r, d, SIZE, PATCH, False)
            root += of_b * inner(b + at, scratch + t, d, SIZE, PATCH, IDENTITY)
            root *= tl.sqrt(norm_a * norm_b) / 2
            ratio = tl.sqrt(norm_a / norm_b)
            for which in range(begin, end):
                found = tl.where(which == 0, r, t)
                if scratch.dtype.element_ty == tl.float64:  # RG and GT: in null spaces R and T have grown, and G is 0
                    one_side, other_side = tl.where(which == 0, r, g), tl.where(which == 0, g, t)
                    combine(scratch, 3 * area, one_side, other_side, zero, zero, one, d, SIZE, BLOCK, DEPTH)
                    found = 3 * area
                if which == 0:
                    write_mean(first + at, scratch + found, 1 / ratio, d, SIZE, PATCH)
                else:
                    write_mean(second + at, scratch + found, ratio, d, SIZE, PATCH)
            shift = squared_distance(mean + problem * d, other + problem * d, d, SIZE, MEANS)
            tl.store(trace + problem, root)
            traces = trace_of(a + at, d, SIZE, False) + trace_of(b + at, d, SIZE, IDENTITY)
            tl.store(value + problem, (shift + traces - 2 * root).to(value.dtype.element_ty))
            tl.store(residual + problem, left)
