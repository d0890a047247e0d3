"""Triton kernel of the sliced Epps–Pulley statistic and its derivatives: one launch, one direction per program."""

import triton
import triton.language as tl


@triton.jit
def epps_pulley_columns(
    u,
    values,
    n,
    scale,
    first,
    step,
    points,
    DOUBLED: tl.constexpr,
    SLOPE: tl.constexpr,
    POINTS: tl.constexpr,
    SIZE: tl.constexpr,
):
    """Compute values (columns,), and overwrite projections u (columns, n) by derivatives; both times `scale`.

    The `points` of the quadrature start at `first` and are `step` apart, twice the first if DOUBLED; POINTS is the next
    power of two. t = 0, where the characteristic functions agree for every sample, is left out.
    """
    column = tl.program_id(0).to(tl.int64)
    u += column * n
    index = tl.arange(0, POINTS)
    cosines = tl.zeros([POINTS], tl.float32)
    sines = tl.zeros([POINTS], tl.float32)
    for row in range(0, n, SIZE):
        rows = row + tl.arange(0, SIZE)
        inside = rows < n
        cosine, sine, step_versine, step_sine = _first_angle(first * tl.load(u + rows, inside, 0.0), DOUBLED)
        for k in range(points):
            cosines += tl.where(index == k, tl.sum(tl.where(inside, cosine, 0.0), 0), 0.0)
            sines += tl.where(index == k, tl.sum(tl.where(inside, sine, 0.0), 0), 0.0)
            cosine, sine = _rotate(cosine, sine, step_versine, step_sine)

    t = first + index * step
    normal = tl.exp(-0.5 * t * t)
    weight = tl.where(index < points, tl.where(index == points - 1, step, 2 * step), 0.0) * normal
    real = cosines / n - normal
    imaginary = sines / n
    tl.store(values + column, scale * n * tl.sum(weight * (real * real + imaginary * imaginary), 0))

    if SLOPE:
        by_cosine = 2 * scale * weight * t * real
        by_sine = 2 * scale * weight * t * imaginary
        for row in range(0, n, SIZE):
            rows = row + tl.arange(0, SIZE)
            inside = rows < n
            cosine, sine, step_versine, step_sine = _first_angle(first * tl.load(u + rows, inside, 0.0), DOUBLED)
            slope = tl.zeros([SIZE], tl.float32)
            for k in range(points):
                slope += cosine * tl.sum(tl.where(index == k, by_sine, 0.0), 0)
                slope -= sine * tl.sum(tl.where(index == k, by_cosine, 0.0), 0)
                cosine, sine = _rotate(cosine, sine, step_versine, step_sine)
            tl.store(u + rows, slope, inside)


@triton.jit
def _cosine_sine(x):
    """Compute cosine and sine together in registers; those of libdevice use a table in memory for large arguments.

    Multiples of π/2 are subtracted in three parts, exact up to 2¹⁶ multiples; then a Taylor polynomial each.
    """
    turns = tl.floor(x * 0.63661977236758134 + 0.5)
    r = ((x - turns * 1.5703125) - turns * 4.837512969970703125e-4) - turns * 7.549789948768648e-8
    square = r * r
    sine, cosine = tl.zeros_like(x), tl.zeros_like(x)
    for k in tl.static_range(5, 0, -1):
        sine = (sine + 1) * square * (-1.0 / (2 * k * (2 * k + 1)))
        cosine = (cosine + 1) * square * (-1.0 / ((2 * k - 1) * (2 * k)))
    sine = r + r * sine
    cosine = cosine + 1
    quadrant = turns.to(tl.int32)
    swapped = (quadrant & 1) != 0
    a = tl.where(swapped, sine, cosine)
    b = tl.where(swapped, cosine, sine)
    return tl.where(((quadrant + 1) & 2) != 0, -a, a), tl.where((quadrant & 2) != 0, -b, b)


@triton.jit
def _first_angle(angle, DOUBLED: tl.constexpr):
    """Compute cosine and sine of the first angle, and 1 − cos (the versine) and sin of the step to the next."""
    cosine, sine = _cosine_sine(angle)
    if DOUBLED:
        return cosine, sine, 2 * sine * sine, 2 * cosine * sine
    positive = cosine > 0
    versine = tl.where(positive, sine * sine / tl.where(positive, 1 + cosine, 1.0), 1 - cosine)
    return cosine, sine, versine, sine


@triton.jit
def _rotate(cosine, sine, step_versine, step_sine):
    """Rotate by the step: the identity minus a correction, whose rounding error is small for small angles."""
    return cosine - (step_versine * cosine + step_sine * sine), sine - (step_versine * sine - step_sine * cosine)
