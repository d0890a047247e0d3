"""Launch of the spectral operations on a GPU: batches flattened, geometric means by Triton or by torch.matmul."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ..precision import autocast_disabled
from . import coupled_iteration, matmul


@dataclass(frozen=True)
class GPULaunch:
    """Spectral operations on a GPU, with the interface of cpu/launch.py.

    Args:
        backend: "triton" and "triton+matmul" compute geometric means in Triton, "matmul" by torch.matmul.
    """

    backend: str

    def frechet(self, x: Tensor, y: Tensor, eps: float, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients of `Frechet`."""
        return self._frechet((x, y), eps, route, needs_grad)

    def frechet_normal(self, x: Tensor, eps: float, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradient of `FrechetNormal`."""
        return self._frechet((x,), eps, route, needs_grad)

    def bures(self, a: Tensor, b: Tensor, route: str, needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients of `Bures`."""
        with autocast_disabled(a):
            return _unflatten(matmul.bures(self._solver(), _flatten(a), _flatten(b), needs_grad), (a, b))

    def sqrtm(self, a: Tensor) -> Tensor:
        """Compute A^{1/2} (..., d, d), in float32."""
        with autocast_disabled(a):
            return matmul.sqrtm(self._solver(), _flatten(a)).view(a.shape)

    def _frechet(
        self, samples: Sequence[Tensor], eps: float, route: str, needs_grad: Sequence[bool]
    ) -> tuple[Tensor, ...]:
        flat = [_flatten(x) for x in samples]
        with autocast_disabled(flat[0]):
            if self.backend == "triton":
                from .triton import launch as triton

                outputs = triton.frechet(flat, eps, needs_grad)
            else:
                outputs = matmul.frechet(self._solver(), flat, eps, route == "gram", needs_grad)
        return _unflatten(outputs, samples)

    def _solver(self) -> matmul.Solver:
        if self.backend == "matmul":
            return coupled_iteration.geometric_means
        from .triton import launch as triton

        return triton.geometric_means


def _flatten(x: Tensor) -> Tensor:
    """Reshape (..., n, d) to (batch, n, d)."""
    return x.detach().reshape(-1, *x.shape[-2:])


def _unflatten(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Reshape value and gradients of a flat batch to the batch shape of the inputs."""
    value, *gradients = outputs
    return value.view(inputs[0].shape[:-2]), *(
        g.view(i.shape) if g.numel() else g for g, i in zip(gradients, inputs, strict=True)
    )
