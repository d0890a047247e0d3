"""Hypothesis strategies of pairs of point clouds: any shape, scale and offset, with duplicates."""

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor

TILE = 96  # points per tile of the native kernels in float32; half as many in float64
EDGES = sorted(k * TILE // 2 + off for k in (1, 2, 4, 6) for off in (-1, 0, 1))


@dataclass(frozen=True)
class Clouds:
    """Parameters of two random clouds x (n, d) and y (m, d)."""

    n: int
    m: int
    d: int
    scale: float = 1.0
    offset: float = 0.0
    duplicates: bool = False

    def draw(self, dtype: torch.dtype, seed: int = 0) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        x, y = (torch.randn(k, self.d, dtype=torch.float64, generator=generator) for k in (self.n, self.m))
        x, y = self.scale * x + self.offset, self.scale * (1.1 * y + 0.2) + self.offset
        if self.duplicates:  # half of x, repeated within x and in y
            half = (self.n + 1) // 2
            x[self.n // 2 :] = x[:half].clone()
            y[: min(half, self.m)] = x[: min(half, self.m)]
        return x.to(dtype), y.to(dtype)


def clouds(min_points: int = 2) -> st.SearchStrategy[Clouds]:
    """Return clouds of up to 3 tiles of points and 1000 coordinates, scales of six decades, with and without offset."""
    counts = st.one_of(st.integers(min_points, 40), st.sampled_from(EDGES))
    dimensions = st.one_of(st.integers(1, 40), st.sampled_from([1, 2, 3, 8, 9, 64, 257, 1000]))
    return st.builds(
        Clouds,
        n=counts,
        m=counts,
        d=dimensions,
        scale=st.sampled_from([1e-3, 0.03, 1.0, 30.0, 1e3]),
        offset=st.sampled_from([0.0, 0.0, 1e4]),
        duplicates=st.booleans(),
    )
