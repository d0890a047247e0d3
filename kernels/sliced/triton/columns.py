"""Triton functions shared by the sliced kernels: sort keys, and the optimal coupling of two sorted columns."""

import triton
import triton.language as tl

NAN_BITS = tl.constexpr(0x7FC00000)  # above those of infinity: NaN of either sign sorts last
LAST_KEY = tl.constexpr(0x7FFFFFFF)  # above NaN's: padding of a block


@triton.jit
def sort_keys(values, rows, n, INDEXED: tl.constexpr):
    """Map values to integers in the same order, NaN last; INDEXED: 64-bit, with the row below for a stable sort."""
    bits = (values + 0.0).to(tl.int32, bitcast=True)  # −0 becomes 0, so that both zeros tie
    bits = tl.where(values == values, bits, NAN_BITS)
    keys = bits ^ ((bits >> 31) & LAST_KEY)
    keys = tl.where(rows < n, keys, LAST_KEY)
    if INDEXED:
        return (keys.to(tl.int64) << 32) | rows.to(tl.int64)
    else:
        return keys


@triton.jit
def key_values(keys):
    """Recover the values from `sort_keys`; float32 values are returned unchanged."""
    if keys.dtype == tl.float32:
        return keys
    else:
        if keys.dtype == tl.int64:
            keys = (keys >> 32).to(tl.int32)
        return (keys ^ ((keys >> 31) & LAST_KEY)).to(tl.float32, bitcast=True)


@triton.jit
def key_rows(keys):
    """Recover the rows from 64-bit keys."""
    return (keys & 0xFFFFFFFF).to(tl.int32)


@triton.jit
def couple(u, ranks, n, others, m, P: tl.constexpr, EQUAL: tl.constexpr):
    """Compute Σⱼ mass_ij |uᵢ − vⱼ|^p of the optimal coupling on a line, and its derivative with respect to uᵢ.

    The masses of a point sum to 1, so the mean over i is W_p^p. In units of 1/(n m), point i of rank `ranks` has the
    masses from i m to (i + 1) m, and point j of the m sorted `others` in memory those from j n to (j + 1) n. EQUAL:
    n = m.
    """
    if EQUAL:
        v = key_values(tl.load(others + ranks, ranks < n, 0))
        cost, slope = _power(u - v, P)
    else:
        first = ranks * m // n
        start = ranks * m - first * n
        cost = tl.zeros(u.shape, tl.float32)
        slope = tl.zeros(u.shape, tl.float32)
        for k in range((m - 1) // n + 2):
            j = first + k
            mass = tl.minimum(start + m, (k + 1) * n) - tl.maximum(start, k * n)
            overlaps = (ranks < n) & (mass > 0) & (j < m)
            v = key_values(tl.load(others + j, overlaps, 0))
            part, derivative = _power(u - v, P)
            cost += tl.where(overlaps, mass.to(tl.float32) * part, 0.0)
            slope += tl.where(overlaps, mass.to(tl.float32) * derivative, 0.0)
        cost /= m
        slope /= m
    return tl.where(ranks < n, cost, 0.0), slope


@triton.jit
def _power(difference, P: tl.constexpr):
    """Compute |difference|^p and its derivative."""
    if P == 2:
        return difference * difference, 2 * difference
    size = tl.abs(difference)
    sign = tl.where(difference > 0, 1.0, tl.where(difference < 0, -1.0, difference))  # NaN propagates
    if P == 1:
        return size, sign
    lower_power = tl.exp2((P - 1) * tl.log2(tl.where(size == 0, 1.0, size)))  # size 0 gives 0 below
    return size * lower_power, P * sign * lower_power
