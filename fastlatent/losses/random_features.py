"""MMD by random Fourier features."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.precision import accumulation_dtype, autocast_disabled
from ..utils import checks
from ..utils.distributed import broadcast
from .kernels import RBF, Kernel, Laplace

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


def mmd(
    x: Tensor,
    y: Tensor,
    kernel: Kernel,
    count: int,
    generator: torch.Generator | None,
    group: "ProcessGroup | None" = None,
) -> Tensor:
    """Approximate the biased squared MMD with random Fourier features.

    ‖mean ψ(x) − mean ψ(y)‖², ψ(z) = √(1/D)·(cos ωz, sin ωz), ω from the spectral density of the kernel. The error is
    O(1/√D).

    Args:
        x: sample (..., n, d).
        y: sample (..., m, d).
        kernel: `RBF` or `Laplace`.
        count: number D of frequencies for each bandwidth.
        generator: random generator of the frequencies; None: torch's default.
        group: torch.distributed group, all ranks of which use the frequencies of its first rank.

    Returns:
        (...,) in the dtype of x, float32 for half precision.

    Raises:
        ValueError: for another kernel.

    Source: Rahimi & Recht 2007, "Random features for large-scale kernel machines", algorithm 1.
    """
    if not isinstance(kernel, RBF | Laplace):
        raise ValueError(f"estimator 'features' requires a kernel RBF or Laplace; got {kernel!r}")
    _, bandwidths = kernel.profile(x.shape[-1])
    dtype = accumulation_dtype(x.dtype)
    checks.generator(generator)
    source_device = generator.device if generator is not None else x.device
    omega = torch.randn(x.shape[-1], count, dtype=dtype, device=source_device, generator=generator)
    if isinstance(kernel, Laplace):  # a multivariate Cauchy variable: N(0, I) divided by |N(0, 1)|
        omega = omega / torch.randn(count, dtype=dtype, device=source_device, generator=generator).abs()
    with autocast_disabled(x):
        omega = torch.cat([omega / b for b in bandwidths], -1).to(x.device)
        omega = broadcast(omega, group)
        phase_x, phase_y = x.to(dtype) @ omega, y.to(dtype) @ omega
        real = phase_x.cos().mean(-2) - phase_y.cos().mean(-2)
        imaginary = phase_x.sin().mean(-2) - phase_y.sin().mean(-2)
        return (real.square() + imaginary.square()).sum(-1) / count
