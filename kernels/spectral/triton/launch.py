"""Triton backend of the spectral engine, for d up to 128: moments of the samples, geometric means, gradients.

Five launches against the normal distribution, eight for two samples with both gradients, for any batch size:

    moments_kernel      sums of x − x₀ and of its squares, for each sample; rows are split over the device
    covariance_kernel   total of the splits: mean and covariance
    means_kernel        value, A⁻¹ # B and B⁻¹ # A: in float32, then in float64 for problems not converged
    gradient_kernel     gradient with respect to a sample
"""

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from ... import gpu
from ..coupled_iteration import ROUNDS, Means
from .geometric_means import means_kernel

ROWS = 32  # rows of a sample per step
MAX_SPLITS = 32  # splits of the rows; one program adds their sums
FLOAT32_ROUNDS = 2  # enough for the condition numbers that float32 resolves
# Block and depth of the matmul, and warps, by the padded rows of the matrices.
TILES_32 = {16: (16, 16, 4), 32: (32, 32, 4), 64: (64, 16, 4), 128: (64, 16, 8)}
# Blocks of 64 would be put into the tensor memory of a B200, which has no float64.
TILES_64 = {16: (16, 16, 4), 32: (32, 16, 4), 64: (32, 32, 4), 128: (32, 16, 4)}


@triton.jit
def moments_kernel(x, sums, squares, n, d, splits, blocks, BLOCK: tl.constexpr, ROWS: tl.constexpr):
    """Compute Σ(x − x₀) and Σ(x − x₀)(x − x₀)ᵀ over the rows of a split, in float64, exact for float32 factors."""
    program = tl.program_id(0).to(tl.int64)
    column, row, part = program % blocks, program // blocks % blocks, program // (blocks * blocks)
    problem, split = part // splits, part % splits
    x += problem * n * d
    i, j = row * BLOCK + tl.arange(0, BLOCK), column * BLOCK + tl.arange(0, BLOCK)
    first_i, first_j = tl.load(x + i, mask=i < d, other=0.0), tl.load(x + j, mask=j < d, other=0.0)
    total, square = tl.zeros((BLOCK,), tl.float64), tl.zeros((BLOCK, BLOCK), tl.float64)
    rows_per_split = tl.cdiv(tl.cdiv(n, splits), ROWS) * ROWS
    end = tl.minimum((split + 1) * rows_per_split, n)
    for start in range(split * rows_per_split, end, ROWS):
        k = (start + tl.arange(0, ROWS))[:, None]
        inside_i, inside_j = (k < end) & (i < d)[None, :], (k < end) & (j < d)[None, :]
        at_i = tl.load(x + k * d + i[None, :], mask=inside_i, other=0.0).to(tl.float64)
        at_j = tl.load(x + k * d + j[None, :], mask=inside_j, other=0.0).to(tl.float64)
        at_i = tl.where(inside_i, at_i - first_i.to(tl.float64)[None, :], 0.0)
        at_j = tl.where(inside_j, at_j - first_j.to(tl.float64)[None, :], 0.0)
        total += tl.sum(at_i, 0)
        square = tl.dot(tl.trans(at_i), at_j, square, out_dtype=tl.float64)
    if column == 0:
        tl.store(sums + part * d + i, total, mask=i < d)
    tl.store(squares + part * d * d + i[:, None] * d + j[None, :], square, mask=(i < d)[:, None] & (j < d)[None, :])


@triton.jit
def covariance_kernel(x, sums, squares, mean, covariance, n, d, eps, splits, blocks, BLOCK: tl.constexpr):
    """Compute mean and covariance + eps·I from the sums of all splits, added in their order."""
    program = tl.program_id(0).to(tl.int64)
    column, row, problem = program % blocks, program // blocks % blocks, program // (blocks * blocks)
    i, j = row * BLOCK + tl.arange(0, BLOCK), column * BLOCK + tl.arange(0, BLOCK)
    inside = (i < d)[:, None] & (j < d)[None, :]
    sum_i, sum_j = tl.zeros((BLOCK,), tl.float64), tl.zeros((BLOCK,), tl.float64)
    square = tl.zeros((BLOCK, BLOCK), tl.float64)
    for split in range(splits):
        part = problem * splits + split
        sum_i += tl.load(sums + part * d + i, mask=i < d, other=0.0)
        sum_j += tl.load(sums + part * d + j, mask=j < d, other=0.0)
        square += tl.load(squares + part * d * d + i[:, None] * d + j[None, :], mask=inside, other=0.0)
    square = (square - sum_i[:, None] * (sum_j[None, :] / n)) / (n - 1)
    square += tl.where(i[:, None] == j[None, :], eps, 0.0)
    tl.store(covariance + problem * d * d + i[:, None] * d + j[None, :], square, mask=inside)
    if column == 0:
        first = tl.load(x + problem * n * d + i, mask=i < d, other=0.0).to(tl.float64)
        tl.store(mean + problem * d + i, first + sum_i / n, mask=i < d)


@triton.jit
def gradient_kernel(
    x, mean, other, map, gradient, n, d, tiles, blocks, OTHER: tl.constexpr, BLOCK: tl.constexpr, DEPTH: tl.constexpr,
    ROWS: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Compute 2/(n − 1)·(x − μ)(I − map) + 2/n·(μ − other), one tile of rows and block of columns per program."""
    program = tl.program_id(0).to(tl.int64)
    block, tile, problem = program % blocks, program // blocks % tiles, program // (blocks * tiles)
    x, gradient = x + problem * n * d, gradient + problem * n * d
    mean, other, map = mean + problem * d, other + problem * d, map + problem * d * d
    k = (tile * ROWS + tl.arange(0, ROWS))[:, None]
    j = block * BLOCK + tl.arange(0, BLOCK)
    along = tl.arange(0, DEPTH)
    transported = tl.zeros((ROWS, BLOCK), tl.float32)
    for start in range(0, d, DEPTH):
        i = start + along
        at = tl.load(x + k * d + i[None, :], mask=(k < n) & (i < d)[None, :], other=0.0).to(tl.float64)
        at -= tl.load(mean + i, mask=i < d, other=0.0)[None, :]
        map_block = tl.load(map + i[:, None] * d + j[None, :], mask=(i < d)[:, None] & (j < d)[None, :], other=0.0)
        transported = tl.dot(at.to(tl.float32), map_block, transported, input_precision=PRECISION)
    inside = (k < n) & (j < d)[None, :]
    at_mean = tl.load(mean + j, mask=j < d, other=0.0)
    shift = at_mean
    if OTHER:
        shift -= tl.load(other + j, mask=j < d, other=0.0)
    at = tl.load(x + k * d + j[None, :], mask=inside, other=0.0).to(tl.float64) - at_mean[None, :]
    result = (at.to(tl.float32) - transported) * (2 / (n - 1)) + (shift.to(tl.float32) * (2 / n))[None, :]
    tl.store(gradient + k * d + j[None, :], result, mask=inside)


def geometric_means(a: Tensor, b: Tensor | None) -> Means:
    """Compute `coupled_iteration.geometric_means` of float64 matrices (batch, d, d), in two launches."""
    with gpu.on_device_of(a):
        return _means(a.contiguous(), None if b is None else b.contiguous(), (), (True, True), torch.float64)[0]


def frechet(samples: Sequence[Tensor], eps: float, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
    """Compute the Fréchet distance (batch,) of samples (batch, n, d), or of one to N(0, I), and its gradients."""
    with gpu.on_device_of(samples[0]):
        samples = [x.contiguous() for x in samples]
        moments = [_moments(x, eps) for x in samples]
        means, covariances = zip(*moments, strict=True)
        b = covariances[1] if len(samples) == 2 else None
        result, value = _means(covariances[0], b, means, needs_grad, torch.float32)
        others = means[::-1] if len(samples) == 2 else (None,)
        gradients = [
            _gradient(x, mean, other, map) if need else value.new_empty(0)
            for x, mean, other, map, need in zip(samples, means, others, result[1:], needs_grad, strict=False)
        ]
    return value, *gradients


def _moments(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Compute mean (batch, d) and covariance + eps·I (batch, d, d), in float64."""
    batch, n, d = x.shape
    block = min(_padded(d), 32)
    blocks = triton.cdiv(d, block)
    max_splits = gpu.num_sms(x) // (batch * blocks * blocks)
    splits = max(1, min(max_splits, triton.cdiv(n, ROWS), MAX_SPLITS))
    sums, squares = _float64(x, batch * splits, d), _float64(x, batch * splits, d, d)
    mean, covariance = _float64(x, batch, d), _float64(x, batch, d, d)
    moments_kernel[batch * splits * blocks * blocks,](
        x, sums, squares, n, d, splits, blocks, BLOCK=block, ROWS=ROWS, num_warps=4, num_stages=1
    )
    covariance_kernel[batch * blocks * blocks,](
        x, sums, squares, mean, covariance, n, d, eps, splits, blocks, BLOCK=block, num_warps=4
    )
    return mean, covariance


def _means(
    a: Tensor, b: Tensor | None, means: Sequence[Tensor], needs_grad: Sequence[bool], dtype: torch.dtype
) -> tuple[Means, Tensor]:
    """Compute means, empty if not needed, and ‖μ₁ − μ₂‖² + Tr(A + B − 2(AB)^{1/2}) in float32; b None: I."""
    batch, d, _ = a.shape
    size = _padded(d)
    programs = min(batch, 2 * gpu.num_sms(a))  # each loops over problems, so that scratch memory stays in the cache
    residual, trace, value = _float64(a, batch), _float64(a, batch), a.new_empty(batch, dtype=torch.float32)
    first, second = (a.new_empty(a.shape if need else 0, dtype=dtype) for need in (*needs_grad, False)[:2])
    mean, other = (*means, a, a)[:2]
    for kind, rounds, tiles in ((torch.float32, FLOAT32_ROUNDS, TILES_32), (torch.float64, ROUNDS, TILES_64)):
        block, depth, warps = tiles[size]
        means_kernel[programs,](
            a, a if b is None else b, mean, other, a.new_empty((programs, 4, size, size), dtype=kind), residual,
            trace, value, first, second, batch, d, AGAIN=kind == torch.float64, ROUNDS=rounds, MEANS=len(means),
            IDENTITY=b is None, FIRST=first.numel() > 0, SECOND=second.numel() > 0, SIZE=size, BLOCK=block,
            DEPTH=depth, PATCH=min(size, 32), num_warps=warps, num_stages=1, maxnreg=gpu.MAX_REGISTERS,
        )  # fmt: skip
    return Means(trace, first, second, residual), value


def _gradient(x: Tensor, mean: Tensor, other: Tensor | None, map: Tensor) -> Tensor:
    """Compute the gradient with respect to a sample (batch, n, d), in float32."""
    batch, n, d = x.shape
    block, rows = min(_padded(d), 64), 64 if n > 32 else 32
    blocks, tiles = triton.cdiv(d, block), triton.cdiv(n, rows)
    gradient = torch.empty_like(x, dtype=torch.float32)
    gradient_kernel[batch * tiles * blocks,](
        x, mean, mean if other is None else other, map, gradient, n, d, tiles, blocks, OTHER=other is not None,
        BLOCK=block, DEPTH=min(block, 32), ROWS=rows, PRECISION=gpu.input_precision(), num_warps=4, num_stages=1,
    )  # fmt: skip
    return gradient


def _padded(d: int) -> int:
    """Return the rows of the tile that contains d rows."""
    return max(16, triton.next_power_of_2(d))


def _float64(like: Tensor, *shape: int) -> Tensor:
    return like.new_empty(shape, dtype=torch.float64)
