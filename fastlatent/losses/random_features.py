"""Random Fourier features: kernels as inner products of finitely many cosines."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..kernels.precision import accumulation_dtype, autocast_disabled
from .distributed import from_first_rank
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
    """‖mean ψ(x) − mean ψ(y)‖², ψ(z) = √(1/D)·(cos ωz, sin ωz): an approximation of the biased squared MMD.

    Its error falls like 1/√D.

    Args:
        x, y: samples (..., n, d) and (..., m, d).
        kernel: `RBF` or `Laplace`, whose spectral densities are known.
        count: D, frequencies for each bandwidth.
        generator: draws them.
        group: all ranks of it use the frequencies that its first rank draws.

    Source: Rahimi & Recht 2007, "Random features for large-scale kernel machines", algorithm 1.
    """
    if not isinstance(kernel, RBF | Laplace):
        raise ValueError(f"estimator 'features' needs a kernel RBF or Laplace; got {kernel!r}")
    _, bandwidths = kernel.profile(x.shape[-1])
    wide = accumulation_dtype(x.dtype)
    drawn_on = generator.device if generator is not None else x.device
    omega = torch.randn(x.shape[-1], count, dtype=wide, device=drawn_on, generator=generator)
    if isinstance(kernel, Laplace):  # a multivariate Cauchy: a normal over the modulus of another
        omega = omega / torch.randn(count, dtype=wide, device=drawn_on, generator=generator).abs()
    with autocast_disabled(x):
        omega = torch.cat([omega / b for b in bandwidths], -1).to(x.device)
        omega = from_first_rank(omega, group)
        along_x, along_y = x.to(wide) @ omega, y.to(wide) @ omega
        real = along_x.cos().mean(-2) - along_y.cos().mean(-2)
        imaginary = along_x.sin().mean(-2) - along_y.sin().mean(-2)
        return (real.square() + imaginary.square()).sum(-1) / count
