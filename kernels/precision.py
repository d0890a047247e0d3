"""Computation dtypes: the losses compute in at least float32, under autocast too."""

import contextlib

import torch
from torch import Tensor


def accumulation_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which tensors of this dtype are computed: float64 for float64, else float32."""
    return torch.promote_types(dtype, torch.float32)


def widen(x: Tensor) -> Tensor:
    """Convert x to its accumulation dtype."""
    if x.dtype is torch.float32 or x.dtype is torch.float64:  # the call of `to` takes longer than this test
        return x
    return x.to(accumulation_dtype(x.dtype))


def autocast_disabled(x: Tensor) -> contextlib.AbstractContextManager:
    """Switch autocast off on the device of x, if the device has autocast."""
    device = x.device.type
    if torch.amp.is_autocast_available(device):
        return torch.autocast(device, enabled=False)
    return contextlib.nullcontext()
