"""The native CPU backend of the pairwise engine: tensors in, addresses to `fastlatent._native`."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import native

# The order of the enumerations in kernels/pairwise/cpu.hpp and kernels/native/scalar.hpp.
PROFILES = ("imq", "gaussian", "laplace", "rational_quadratic", "energy")
SCALARS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)

# Operations below which threads cost more than they bring.
ENOUGH_FOR_THREADS = 5e7


def refusal(x: Tensor, profile: str) -> str | None:
    """Why this backend cannot serve; None when it can."""
    if x.device.type != "cpu":
        return f"the tensors are on {x.device}"
    if profile not in PROFILES:
        return f"it has no profile {profile!r}"
    return native.unavailable()


def form(
    x: Tensor,
    y: Tensor,
    profile: str,
    parameters: Sequence[float],
    weights: Sequence[float],
    needs: Sequence[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """Value and gradients of `PairwiseForm`: see there."""
    library = native.library()
    assert library is not None  # refusal() has said so otherwise
    x, y = x.contiguous(), y.contiguous()
    batch, (n, d), m = x.shape[:-2], x.shape[-2:], y.shape[-2]
    accumulate = torch.float64 if x.dtype == torch.float64 else torch.float32
    value = torch.empty(batch, dtype=accumulate)
    grad_x, grad_y = (
        torch.empty(t.shape if need else 0, dtype=accumulate) for t, need in zip((x, y), needs, strict=True)
    )
    operations = value.numel() * (n + m) ** 2 * (d + 30)
    library.pairwise_form(
        PROFILES.index(profile), list(parameters), *weights, SCALARS.index(x.dtype), x.data_ptr(), y.data_ptr(),
        value.numel(), n, m, d, value.data_ptr(), grad_x.data_ptr(), grad_y.data_ptr(),
        torch.get_num_threads() if operations > ENOUGH_FOR_THREADS else 1,
    )  # fmt: skip
    return value, grad_x, grad_y
