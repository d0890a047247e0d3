"""Vector-quantized autoencoder: codes composed of vectors of a codebook."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..data.batch import Batch
from ..kernels.precision import autocast_disabled
from ..losses.chamfer import nearest
from ..priors import Device, Generator
from ..utils import checks
from .autoencoder import Autoencoder, squared_error
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext

DEAD_CODE_THRESHOLD = 0.05  # use of an entry / mean use, below which the entry is reset


class Codebook(nn.Module):
    """Codebook of K vectors e_k, and the prior of codes composed of `parts` vectors, independent and uniform.

    The vectors are not parameters but exponential moving averages of the encoder's outputs nearest to each of them:
    N_k ← ρN_k + (1−ρ)n_k, m_k ← ρm_k + (1−ρ)Σ_{i→k} z_i, e_k = m_k/N_k. Rarely used vectors are reset to random vectors
    of the batch.

    Args:
        entries: number of vectors K.
        size: number of coordinates of a vector.
        parts: number of vectors in a code.
        decay: ρ, in [0, 1).

    Source: van den Oord et al. 2017, "Neural discrete representation learning", appendix A.1; reset: Dhariwal et al.
    2020, "Jukebox", section 3.2.
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, entries: int, size: int, parts: int, decay: float = 0.95) -> None:
        super().__init__()
        checks.count("entries", entries), checks.count("size", size), checks.count("parts", parts)
        self.parts, self.decay = parts, checks.fraction("decay", decay)
        self.register_buffer("vectors", torch.randn(entries, size))
        self.register_buffer("counts", torch.zeros(entries))
        self.register_buffer("sums", torch.zeros(entries, size))

    @property
    def dim(self) -> int:
        """Number of coordinates of a code."""
        return self.parts * self.vectors.shape[1]

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """Draw n codes (n, dim) of vectors, independent and uniform."""
        indices = torch.randint(len(self.vectors), (n, self.parts), generator=generator, device=device)
        return self.vectors.to(indices.device)[indices].flatten(1).to(dtype or torch.get_default_dtype())

    def forward(self, z: Tensor) -> Tensor:
        """Return the index of the nearest vector for each part, (n, parts), of codes z (n, dim)."""
        return nearest(self.split(z), self.vectors)[0].unflatten(0, (-1, self.parts))

    def split(self, z: Tensor) -> Tensor:
        """Split codes (n, dim) into parts (n·parts, size), of the vectors' dtype."""
        return z.reshape(-1, self.vectors.shape[1]).to(self.vectors)

    @torch.no_grad()
    def update(self, z: Tensor, indices: Tensor) -> None:
        """Update the moving averages by one step.

        Args:
            z: codes (n, dim).
            indices: indices of their nearest vectors (n, parts).
        """
        points = self.split(z)
        one_hot = nn.functional.one_hot(indices.flatten(), len(self.vectors)).to(points)
        with autocast_disabled(z):  # 16 bits are too coarse for moving averages
            self.counts.lerp_(one_hot.sum(0), 1 - self.decay)
            self.sums.lerp_(one_hot.mT @ points, 1 - self.decay)
        dead = (self.counts < DEAD_CODE_THRESHOLD * self.counts.mean())[:, None]
        replacements = points[torch.randint(len(points), (len(self.vectors),), device=z.device)]
        self.vectors.copy_(torch.where(dead, replacements, self.sums / self.counts[:, None]))


class VQVAE(Autoencoder):
    """Vector-quantized autoencoder: E ‖x − g(q)‖² + β·E ‖f(x) − sg(q)‖², q the nearest codebook vectors of f(x).

    The gradient of q is copied to f(x) (straight-through estimator); the codebook is updated by moving averages
    (`Codebook`). `encode` returns q.

    Args:
        encoder: f, from x (n, *shape) to (n, parts·size).
        decoder: g, from q (n, parts·size) to x̂ (n, *shape).
        codebook: vectors and prior.
        commitment: β, ≥ 0.

    Source: van den Oord et al. 2017, equation (3), and appendix A.1.
    """

    prior: Codebook

    def __init__(self, encoder: nn.Module, decoder: nn.Module, codebook: Codebook, commitment: float = 0.25) -> None:
        super().__init__(encoder, decoder, codebook)
        self.commitment = checks.non_negative("commitment", commitment)

    def encode(self, x: Tensor) -> Tensor:
        """Return the quantized codes q (n, parts·size) of x (n, *shape)."""
        return self.prior.vectors[self.prior(self.encoder(x))].flatten(1)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of the objective; "loss" is their weighted sum. In training, update the codebook."""
        z = self.encoder(batch.x)
        indices = self.prior(z.detach())
        if self.training:
            self.prior.update(context.all_gather(z.detach()), context.all_gather(indices))
        q = self.prior.vectors[indices].flatten(1)
        error = squared_error(batch.x, self.decode(z + (q - z).detach()))
        commitment = squared_error(z, q)
        return {"loss": error + self.commitment * commitment, "reconstruction": error, "commitment": commitment}
