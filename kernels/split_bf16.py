"""float32 matmul on bfloat16 matrix units: numbers split into sums of bfloat16, matmuls into sums of matmuls.

Six bfloat16 matmuls are more precise than three of TF32 at the same rate, and the matrix units read 16-bit operands
along either side of a tile.
"""

import triton
import triton.language as tl

BF16_MASK = tl.constexpr(-65536)  # upper 16 bits of a float32, which are a bfloat16
HALF_ULP = tl.constexpr(32768)  # half a unit in the last place of that bfloat16


@triton.jit
def split_bf16(value, PARTS: tl.constexpr):
    """Split float32 into a sum of bfloat16 parts and a remainder: 0 with three parts, 2⁻¹⁶ of it with two.

    All but the last are rounded to nearest, so parts have either sign, and so have the products left out. The last is
    truncated, which preserves NaN.
    """
    parts = ()
    for i in tl.static_range(PARTS):
        bits = value.to(tl.int32, bitcast=True)
        if i < PARTS - 1:
            bits += HALF_ULP
        bits &= BF16_MASK
        parts += ((bits >> 16).to(tl.int16).to(tl.bfloat16, bitcast=True),)  # type: ignore[assignment]
        value -= bits.to(tl.float32, bitcast=True)
    return parts, value


@triton.jit
def split_dot(a, b, total):
    """Compute total + a·b of split operands: all products above the last bit, small ones first."""
    count: tl.constexpr = max(len(a), len(b))
    for order in tl.static_range(count - 1, -1, -1):  # part i is 2⁸ smaller than part i − 1
        for i in tl.static_range(0, order + 1):
            if i < len(a) and order - i < len(b):
                total = tl.dot(a[i], b[order - i], total)
    return total


@triton.jit
def dot_float32(a, b, total):
    """Compute total + a·b of float32 matrices in full precision."""
    left, _ = split_bf16(a, 3)
    right, _ = split_bf16(b, 3)
    return split_dot(left, right, total)
