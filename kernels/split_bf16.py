"""float32 on units that multiply bfloat16: numbers as sums of such parts, products as sums of theirs.

Six products of bfloat16 bring a digit more than three of TF32, at the same rate, and the matrix units take 16-bit
numbers along either side of a tile.
"""

import triton
import triton.language as tl

UPPER_HALF = tl.constexpr(-65536)  # of a float32's bits, which is a bfloat16
HALF_A_DIGIT = tl.constexpr(32768)  # of that


@triton.jit
def in_parts(value, PARTS: tl.constexpr):
    """bfloat16 numbers that a float32 is the sum of, and what they leave of it: three leave nothing, two 2⁻¹⁶.

    All but the last are rounded to nearest: parts then have either sign, and so has what products of them leave out.
    The last is cut off, which keeps a NaN.
    """
    parts = ()
    for i in tl.static_range(PARTS):
        bits = value.to(tl.int32, bitcast=True)
        if i < PARTS - 1:
            bits += HALF_A_DIGIT
        bits &= UPPER_HALF
        parts += ((bits >> 16).to(tl.int16).to(tl.bfloat16, bitcast=True),)  # type: ignore[assignment]
        value -= bits.to(tl.float32, bitcast=True)
    return parts, value


@triton.jit
def product(a, b, found):
    """found + a·b of numbers in parts: all products but those below the last digit, small ones first."""
    count: tl.constexpr = max(len(a), len(b))
    for places in tl.static_range(count - 1, -1, -1):  # the i-th part is 2⁸ smaller than the one before
        for i in tl.static_range(0, places + 1):
            if i < len(a) and places - i < len(b):
                found = tl.dot(a[i], b[places - i], found)
    return found


@triton.jit
def multiply(a, b, found):
    """found + a·b of float32 matrices, with all their digits."""
    left, _ = in_parts(a, 3)
    right, _ = in_parts(b, 3)
    return product(left, right, found)
