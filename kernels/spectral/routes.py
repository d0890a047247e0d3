"""Choice of route and backend of the spectral engine, in one table.

The route is the algorithm:

    eigen           eigendecomposition of a d×d matrix
    newton_schulz   coupled Newton–Schulz iteration on d×d matrices, by matmul alone
    gram            the same value from a matrix of the size of the smaller sample, exact for singular covariances

`sqrtm` itself is a further row of the table.
"""

import functools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from .. import autograd, gpu
from . import lapack, matmul
from .cpu import launch as cpu
from .gpu_dispatch import GPULaunch

ROUTES = ("auto", "eigen", "gram", "newton_schulz")
BACKENDS = ("triton", "matmul", "cpu", "lapack", "reference")
MAX_TRITON_SIZE = 128  # rows of the largest matrix that one multiprocessor iterates on

LAUNCHERS: dict[str, Any] = {
    "triton": GPULaunch("triton"),
    "triton+matmul": GPULaunch("triton+matmul"),
    "matmul": GPULaunch("matmul"),
    "cpu": cpu,
    "lapack": lapack,
    "lapack+matmul": lapack,
}


def unsupported_reasons(x: Tensor, route: str, size: int) -> dict[str, str | None]:
    """Return, fastest backend first, why each does not support matrices of this size by this route; None if it does.

    Rows by route (a label "a+b" names both libraries that run):

        eigen           cpu (native C++), lapack (torch.linalg)
        newton_schulz   triton, matmul (torch.matmul on a GPU), cpu, lapack+matmul (a Cholesky factor, then matmul)
        gram            triton+matmul (matmul of the samples, their root in Triton), matmul, cpu, lapack
        sqrtm           triton, matmul, lapack (the reference, whose eigendecomposition is LAPACK's on a CPU)
    """
    on_triton = gpu.unsupported_reason(x)
    if on_triton is None and size > MAX_TRITON_SIZE:
        on_triton = f"it takes matrices of at most {MAX_TRITON_SIZE} rows; these have {size}"
    eigen = "an eigendecomposition would synchronize with the host" if route == "eigen" else None
    return {
        "triton+matmul" if route == "gram" else "triton": on_triton or eigen,
        "matmul": matmul.unsupported_reason(x) or eigen,
        "cpu": "it has no matrix root" if route == "sqrtm" else cpu.unsupported_reason(x, route, size),
        "lapack+matmul" if route == "newton_schulz" else "lapack": lapack.unsupported_reason(x),
        "reference": None,
    }


def resolve(route: str, x: Tensor, gram_size: int | None) -> str:
    """Return the fastest route of "auto": gram where covariances must be singular, else by size and device.

    Args:
        route: name in `ROUTES`; all but "auto" are returned as they are.
        x: sample or matrix (..., d).
        gram_size: size of the smaller sample; None if no covariance is singular for lack of points.
    """
    d = x.shape[-1]
    if route != "auto":
        return route
    if gram_size is not None and gram_size <= d:
        return "gram"
    return "newton_schulz" if _prefers_iteration(x, d) else "eigen"


def _prefers_iteration(x: Tensor, d: int) -> bool:
    """Return whether the iteration is faster than any eigendecomposition: always on a GPU, on a CPU by size."""
    on_gpu = matmul.unsupported_reason(x) is None or gpu.unsupported_reason(x) is None
    return on_gpu or cpu.prefers_iteration(x, d)


class SpectralOperation(autograd.Operation):
    """Operation whose backend depends on a route."""

    route: str

    @abstractmethod
    def gram_size(self, inputs: Sequence[Tensor]) -> int | None:
        """Return the size of the smaller sample; None if its Gram matrix does not give the value."""

    @property
    def engine(self) -> str:
        """Name of the engine, with the route."""
        return f"spectral ({self.route})"

    def resolve(self, inputs: Sequence[Tensor]) -> "SpectralOperation":
        """Return this operation with "auto" replaced by a route."""
        if self.route != "auto":
            return self
        return _with_route(self, resolve("auto", inputs[0], self.gram_size(inputs)))

    def unsupported_reasons(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> Mapping[str, str | None]:
        """Return, fastest backend first, why each does not support the call; None if it does."""
        size = self.gram_size(inputs) if self.route == "gram" else None
        return unsupported_reasons(inputs[0], self.route, size or inputs[0].shape[-1])


@functools.lru_cache(maxsize=64)
def _with_route(operation: SpectralOperation, route: str) -> SpectralOperation:
    """Return the operation by another route; cached, since `replace` takes a tenth of a small call."""
    return replace(operation, route=route)  # type: ignore[type-var]
