"""Triton kernel of geometric means of small matrices: the iteration of coupled_iteration.py for a whole batch.

One program computes the means of a problem from its covariances. Its matrices are in scratch memory of its own, which
stays in the caches, and are multiplied block by block, so that neither registers nor shared memory bound d. The first
launch iterates in float32 until the residual is small. Two rounds do not suffice if the condition number of AB exceeds
a few thousand; a second launch repeats those problems in float64, and skips all others. So the dtype is selected on the
device, matrix by matrix.
"""

import triton
import triton.language as tl

from ...split_bf16 import dot_float32
from .. import coupled_iteration

# ‖I − G‖_F/√d from which the last step converges up to rounding; a round leaves 0.006.
NEAR_IDENTITY = tl.constexpr(6.5e-3)
# ‖I − G‖_F/d above which a result in float32 is recomputed in float64. At condition numbers of AB of 10, 1e3 and 1e4,
# rounding leaves 6e-8, 2e-7 and 4e-7 for every d, and twenty times as much in the gradient.
CONVERGED = tl.constexpr(2.5e-7)
CUSHION = tl.constexpr(coupled_iteration.CUSHION)
A1, B1, C1 = (tl.constexpr(c) for c in coupled_iteration.ROUND[0])
A2, B2, C2 = (tl.constexpr(c) for c in coupled_iteration.ROUND[1])
A3, B3, C3 = (tl.constexpr(c) for c in coupled_iteration.ROUND[2])
A0, B0, C0 = (tl.constexpr(c) for c in coupled_iteration.LAST)


@triton.jit
def block_offsets(row, column, BLOCK: tl.constexpr, stride):
    """Return the offsets of a block in a row-major matrix."""
    at = tl.arange(0, BLOCK)
    return (row * BLOCK + at)[:, None] * stride + (column * BLOCK + at)[None, :]


@triton.jit
def identity_block(row, column, d, BLOCK: tl.constexpr, TYPE: tl.constexpr = tl.float64):
    """Return a block of I (d, d), padded with zeros."""
    at = tl.arange(0, BLOCK)
    i, j = (row * BLOCK + at)[:, None], (column * BLOCK + at)[None, :]
    return ((i == j) & (i < d)).to(TYPE)


@triton.jit
def matmul_block(a, b, row, column, d, SIZE: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr):
    """Compute a block of AB, for zero-padded matrices (d, d): in full float32 precision, or float64."""
    at, along = tl.arange(0, BLOCK), tl.arange(0, DEPTH)
    left = a + (row * BLOCK + at)[:, None] * SIZE + along[None, :]
    right = b + along[:, None] * SIZE + (column * BLOCK + at)[None, :]
    kind: tl.constexpr = a.dtype.element_ty
    total = tl.zeros((BLOCK, BLOCK), kind)
    for k in range(0, tl.cdiv(d, BLOCK) * BLOCK, DEPTH):
        x, y = tl.load(left + k), tl.load(right + k * SIZE)
        total = tl.dot(x, y, total, out_dtype=kind) if kind == tl.float64 else dot_float32(x, y, total)
    return total


@triton.jit
def combine(scratch, to, left, right, a, b, c, d, SIZE: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr):
    """Compute a·I + b·LEFT + c·LEFT·RIGHT into other memory than LEFT and RIGHT, and synchronize the program."""
    kind: tl.constexpr = scratch.dtype.element_ty
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            at = block_offsets(row, column, BLOCK, SIZE)
            block = c.to(kind) * matmul_block(scratch + left, scratch + right, row, column, d, SIZE, BLOCK, DEPTH)
            block += a.to(kind) * identity_block(row, column, d, BLOCK, kind)
            tl.store(scratch + to + at, block + b.to(kind) * tl.load(scratch + left + at))
    tl.debug_barrier()


@triton.jit
def distance_from_identity(g, d, SIZE: tl.constexpr, BLOCK: tl.constexpr):
    """Compute ‖I − G‖_F²."""
    total = tl.zeros((BLOCK, BLOCK), tl.float64)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            block = tl.load(g + block_offsets(row, column, BLOCK, SIZE)).to(tl.float64)
            block -= identity_block(row, column, d, BLOCK)
            total += block * block
    return tl.sum(total)


@triton.jit
def trace_of_square(g, d, SIZE: tl.constexpr, BLOCK: tl.constexpr):
    """Compute Tr G²."""
    total = tl.zeros((BLOCK, BLOCK), tl.float64)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            block = tl.load(g + block_offsets(row, column, BLOCK, SIZE)).to(tl.float64)
            total += block * tl.trans(tl.load(g + block_offsets(column, row, BLOCK, SIZE))).to(tl.float64)
    return tl.sum(total)


@triton.jit
def select(stage, zero, one, two, three, four):
    """Return the argument of that stage of a step."""
    return tl.where(
        stage == 0, zero, tl.where(stage == 1, one, tl.where(stage == 2, two, tl.where(stage == 3, three, four)))
    )


@triton.jit
def iterate(
    scratch, d, ROUNDS: tl.constexpr, SIZE: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr, PATCH: tl.constexpr
):
    """Iterate T, R → PT, RP from the first two of four matrices; return the offsets of T, R and G, and ‖I − G‖_F².

    A step is four matmuls: P from G, PT into the memory of G, RP into that of T, and the new G into that of R. Before
    the first step these are only G and, for the bound of the largest root, G².
    """
    area: tl.constexpr = SIZE * SIZE
    g, t, r, p = 0, area, 2 * area, 3 * area
    zero, one = tl.full((), 0.0, tl.float64), tl.full((), 1.0, tl.float64)
    a, b, c, step, begin, end, active, residual = zero, zero, zero, -1, 3, 5, True, zero
    while active:
        for stage in range(begin, end):
            combine(
                scratch, select(stage, p, g, t, r, p), select(stage, g, p, r, g, r), select(stage, g, t, p, t, r),
                tl.where(stage == 0, a, zero), tl.where(stage == 0, b, zero), tl.where(stage == 0, c, one),
                d, SIZE, BLOCK, DEPTH,
            )  # fmt: skip
        g, t, r = r, g, t
        step += 1
        residual = distance_from_identity(scratch + g, d, SIZE, PATCH)
        active = (residual > CONVERGED * CONVERGED * d * d) & (step <= 3 * ROUNDS)
        last = (residual <= NEAR_IDENTITY * NEAR_IDENTITY * d) | (step == 3 * ROUNDS)
        polynomial = tl.where(last, 3, step % 3)
        scale = tl.where(polynomial == 0, CUSHION * one, one)
        if step == 0:  # as `coupled_iteration.first_scale`
            bound = tl.sqrt(tl.sqrt(tl.sqrt(tl.maximum(trace_of_square(scratch + p, d, SIZE, PATCH), 0.0))))
            scale = CUSHION / tl.maximum(bound, 1 / tl.sqrt(d * one))
        a = scale * select(polynomial, A1 * one, A2 * one, A3 * one, A0 * one, one)
        b = scale * scale * scale * select(polynomial, B1 * one, B2 * one, B3 * one, B0 * one, one)
        c = scale * scale * scale * scale * scale * select(polynomial, C1 * one, C2 * one, C3 * one, C0 * one, one)
        begin, end = 0, 4
    return t, r, g, residual


@triton.jit
def load_block(matrix, row, column, d, BLOCK: tl.constexpr, IDENTITY: tl.constexpr):
    """Load a block of a float64 matrix (d, d), or of I, padded with zeros."""
    if IDENTITY:
        return identity_block(row, column, d, BLOCK)
    at = tl.arange(0, BLOCK)
    i, j = (row * BLOCK + at)[:, None], (column * BLOCK + at)[None, :]
    return tl.load(matrix + i * d + j, mask=(i < d) & (j < d), other=0.0)


@triton.jit
def norm(matrix, d, BLOCK: tl.constexpr, IDENTITY: tl.constexpr):
    """Compute ‖A‖_F, 1 for a zero matrix."""
    total = tl.zeros((BLOCK, BLOCK), tl.float64)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            a = load_block(matrix, row, column, d, BLOCK, IDENTITY)
            total += a * a
    squares = tl.sum(total)
    return tl.where(squares == 0, 1.0, tl.sqrt(squares))


@triton.jit
def trace_block(matrix, d, SIZE: tl.constexpr, IDENTITY: tl.constexpr):
    """Compute Tr A."""
    at = tl.arange(0, SIZE).to(tl.int64)
    if IDENTITY:
        return tl.sum((at < d).to(tl.float64))
    return tl.sum(tl.load(matrix + at * (d + 1), mask=at < d, other=0.0))


@triton.jit
def store_scaled(to, matrix, scale, d, SIZE: tl.constexpr, BLOCK: tl.constexpr, IDENTITY: tl.constexpr):
    """Store A times its scale in scratch memory, in the dtype of that memory."""
    for row in range(SIZE // BLOCK):
        for column in range(SIZE // BLOCK):
            a = load_block(matrix, row, column, d, BLOCK, IDENTITY) * scale
            tl.store(to + block_offsets(row, column, BLOCK, SIZE), a.to(to.dtype.element_ty))


@triton.jit
def inner(matrix, x, d, SIZE: tl.constexpr, BLOCK: tl.constexpr, IDENTITY: tl.constexpr):
    """Compute ⟨A, X⟩ in float64."""
    total = tl.zeros((BLOCK, BLOCK), tl.float64)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            a = load_block(matrix, row, column, d, BLOCK, IDENTITY)
            total += a * tl.load(x + block_offsets(row, column, BLOCK, SIZE)).to(tl.float64)
    return tl.sum(total)


@triton.jit
def write_mean(to, x, scale, d, SIZE: tl.constexpr, BLOCK: tl.constexpr):
    """Store a matrix (d, d) times its scale as an output."""
    at = tl.arange(0, BLOCK)
    for row in range(tl.cdiv(d, BLOCK)):
        for column in range(tl.cdiv(d, BLOCK)):
            i, j = (row * BLOCK + at)[:, None], (column * BLOCK + at)[None, :]
            block = tl.load(x + block_offsets(row, column, BLOCK, SIZE)).to(tl.float64) * scale
            tl.store(to + i * d + j, block.to(to.dtype.element_ty), mask=(i < d) & (j < d))
    tl.debug_barrier()


@triton.jit
def squared_distance(mean, other, d, SIZE: tl.constexpr, MEANS: tl.constexpr):
    """Compute ‖μ₁ − μ₂‖² of `MEANS` means: 0, ‖μ₁‖² for one."""
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
    """Compute Tr(AB)^{1/2}, ‖μ₁ − μ₂‖² + Tr(A + B − 2(AB)^{1/2}), A⁻¹ # B and B⁻¹ # A in the dtype of `scratch`.

    Args:
        a: float64 (batch, d, d).
        b: likewise; not read with IDENTITY, which replaces it by I.
        mean: float64 (batch, d), read if MEANS > 0.
        other: float64 (batch, d), read if MEANS > 1.
        scratch: (programs, 4, SIZE, SIZE); matmul in blocks of BLOCK, DEPTH at a time, all else in blocks of PATCH.
        residual: float64 (batch,), as in `Means`. With AGAIN, problems that have converged are skipped.
        trace: float64 (batch,), as in `Means`.
        value: (batch,).
        first: (batch, d, d), written with FIRST.
        second: (batch, d, d), written with SECOND.
        batch: number of problems.
        d: rows of each matrix.
        AGAIN: whether this is the second launch.
        ROUNDS: maximal number of rounds.
        MEANS: number of sample means.
        IDENTITY: whether B = I.
        FIRST: whether A⁻¹ # B is needed.
        SECOND: whether B⁻¹ # A is needed.
        SIZE: padded rows.
        BLOCK: rows and columns of a matmul block.
        DEPTH: its inner dimension per step.
        PATCH: rows and columns of a block elsewhere.
    """
    area: tl.constexpr = SIZE * SIZE
    zero, one = tl.full((), 0.0, tl.float64), tl.full((), 1.0, tl.float64)
    begin: tl.constexpr = 0 if FIRST else 1
    end: tl.constexpr = 2 if SECOND else 1
    program = tl.program_id(0).to(tl.int64)
    scratch += program * 4 * area
    for problem in range(program, batch, tl.num_programs(0)):
        pending = True
        if AGAIN:
            pending = ~(tl.load(residual + problem) <= CONVERGED * CONVERGED * d * d)
        if pending:
            at = problem * d * d
            norm_a, norm_b = norm(a + at, d, PATCH, False), norm(b + at, d, PATCH, IDENTITY)
            scale_a, scale_b = 1 / norm_a, 1 / norm_b
            store_scaled(scratch, a + at, scale_a, d, SIZE, PATCH, False)
            store_scaled(scratch + area, b + at, scale_b, d, SIZE, PATCH, IDENTITY)
            tl.debug_barrier()
            t, r, g, distance = iterate(scratch, d, ROUNDS, SIZE, BLOCK, DEPTH, PATCH)
            root = scale_a * inner(a + at, scratch + r, d, SIZE, PATCH, False)
            root += scale_b * inner(b + at, scratch + t, d, SIZE, PATCH, IDENTITY)
            root *= tl.sqrt(norm_a * norm_b) / 2
            ratio = tl.sqrt(norm_a / norm_b)
            for mean_index in range(begin, end):
                result = tl.where(mean_index == 0, r, t)
                if (
                    scratch.dtype.element_ty == tl.float64
                ):  # RG and GT: 0 in null spaces, where R and T have grown and G is 0
                    left, right = tl.where(mean_index == 0, r, g), tl.where(mean_index == 0, g, t)
                    combine(scratch, 3 * area, left, right, zero, zero, one, d, SIZE, BLOCK, DEPTH)
                    result = 3 * area
                if mean_index == 0:
                    write_mean(first + at, scratch + result, 1 / ratio, d, SIZE, PATCH)
                else:
                    write_mean(second + at, scratch + result, ratio, d, SIZE, PATCH)
            shift = squared_distance(mean + problem * d, other + problem * d, d, SIZE, MEANS)
            tl.store(trace + problem, root)
            traces = trace_block(a + at, d, SIZE, False) + trace_block(b + at, d, SIZE, IDENTITY)
            tl.store(value + problem, (shift + traces - 2 * root).to(value.dtype.element_ty))
            tl.store(residual + problem, distance)
