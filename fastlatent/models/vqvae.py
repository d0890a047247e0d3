"""Vector-quantized autoencoder: codes made of vectors from a codebook."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..data.batch import Batch
from ..losses.chamfer import nearest
from ..priors import Device, Generator
from ..utils import checks
from .autoencoder import Autoencoder, squared_error
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext

DEAD_CODE_THRESHOLD = 0.05  # of an equal share: an entry used less is moved


class Codebook(nn.Module):
    """K vectors e_k of `size` coordinates, and the prior of codes made of `parts` of them, each drawn uniformly.

    They are no parameters: each is the moving average of what it stands for, N_k ← ρN_k + (1−ρ)n_k,
    m_k ← ρm_k + (1−ρ)Σ_{i→k} z_i, e_k = m_k/N_k. One that hardly anything uses is moved to a vector of the batch, so
    that all are of use, from the first batch on.

    Args:
        entries: K.
        size: coordinates of a vector.
        parts: vectors in a code.
        decay: ρ, in [0, 1).

    Source: van den Oord et al. 2017, "Neural discrete representation learning", appendix A.1; moved entries:
    Dhariwal et al. 2020, "Jukebox", section 3.2.
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
        """Coordinates of a code."""
        return self.parts * self.vectors.shape[1]

    def sample(
        self, n: int, *, generator: Generator = None, device: Device = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """n codes (n, dim) of vectors drawn uniformly."""
        chosen = torch.randint(len(self.vectors), (n, self.parts), generator=generator, device=device)
        return self.vectors.to(chosen.device)[chosen].flatten(1).to(dtype or torch.get_default_dtype())

    def forward(self, z: Tensor) -> Tensor:
        """The index of the nearest vector of each part, (n, parts), of codes z (n, dim)."""
        return nearest(self.split(z), self.vectors)[0].unflatten(0, (-1, self.parts))

    def split(self, z: Tensor) -> Tensor:
        """The parts (n·parts, size) of codes (n, dim), of the vectors' dtype."""
        return z.reshape(-1, self.vectors.shape[1]).to(self.vectors)

    @torch.no_grad()
    def update(self, z: Tensor, chosen: Tensor) -> None:
        """Move the vectors by one step to codes z (n, dim) for which `chosen` (n, parts) were nearest."""
        points = self.split(z)
        member = nn.functional.one_hot(chosen.flatten(), len(self.vectors)).to(points)
        with torch.autocast(z.device.type, enabled=False):  # averages lose too much in 16 bits
            self.counts.lerp_(member.sum(0), 1 - self.decay)
            self.sums.lerp_(member.mT @ points, 1 - self.decay)
        rare = (self.counts < DEAD_CODE_THRESHOLD * self.counts.mean())[:, None]
        others = points[torch.randint(len(points), (len(self.vectors),), device=z.device)]
        self.vectors.copy_(torch.where(rare, others, self.sums / self.counts[:, None]))


class VQVAE(Autoencoder):
    """Vector-quantized autoencoder: E ‖x − g(q)‖² + β·E ‖f(x) − sg(q)‖², each part of q the nearest of a codebook.

    The gradient passes from q to f(x) as it is; the codebook follows f(x) by moving averages (`Codebook`). `encode`
    gives q.

    Args:
        encoder: f, from x (n, *shape) to (n, parts·size).
        decoder: g, from q (n, parts·size) to x̂ (n, *shape).
        codebook: the vectors, also the prior.
        commitment: β, ≥ 0.

    Source: van den Oord et al. 2017, equation (3), and appendix A.1.
    """

    prior: Codebook

    def __init__(self, encoder: nn.Module, decoder: nn.Module, codebook: Codebook, commitment: float = 0.25) -> None:
        super().__init__(encoder, decoder, codebook)
        self.commitment = checks.non_negative("commitment", commitment)

    def encode(self, x: Tensor) -> Tensor:
        return self.prior.vectors[self.prior(self.encoder(x))].flatten(1)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        z = self.encoder(batch.x)
        chosen = self.prior(z.detach())
        if self.training:
            self.prior.update(context.all_gather(z.detach()), context.all_gather(chosen))
        q = self.prior.vectors[chosen].flatten(1)
        error = squared_error(batch.x, self.decode(z + (q - z).detach()))
        commitment = squared_error(z, q)
        return {"loss": error + self.commitment * commitment, "reconstruction": error, "commitment": commitment}
