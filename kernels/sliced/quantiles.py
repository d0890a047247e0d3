"""Quantile means of N(0, 1), the second sample of the sliced distance to a normal distribution."""

import functools
import math

import numpy as np
import torch
from torch import Tensor

from ..dispatch import is_plain


def normal_quantile_means(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Compute the means of N(0, 1) between its quantiles (i−1)/n and i/n: (n, 1)."""
    if device.type == "cpu" and is_plain():
        return torch.from_numpy(_numbers(n, dtype))
    return _compute(n, dtype, device)


@functools.lru_cache(maxsize=32)
def _numbers(n: int, dtype: torch.dtype) -> np.ndarray:
    """Compute the means as NumPy numbers: a cached tensor would belong to the mode or capture of its first call."""
    return _compute(n, dtype, torch.device("cpu")).numpy()


def _compute(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    # in float64, which not every accelerator has; on CUDA without a copy from the host, for graph capture
    computed_on = device if device.type == "cuda" else torch.device("cpu")
    i = torch.arange(n + 1, dtype=torch.float64, device=computed_on)
    lower = torch.minimum(i, n - i) / n  # the lower half, where Φ⁻¹ is accurate; the density is even
    density = torch.exp(-torch.special.ndtri(lower).square() / 2) / math.sqrt(2 * math.pi)
    return (-n * density.diff()).unsqueeze(-1).to(device, dtype)
