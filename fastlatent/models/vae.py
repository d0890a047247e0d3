"""Variational autoencoder."""

from collections.abc import Mapping

from torch import Tensor, nn

from ..data.batch import Batch
from ..priors import Normal
from ..utils import checks
from .autoencoder import Autoencoder, squared_error
from .base.data_parallel import SINGLE_PROCESS, DataParallelContext


def kl_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Compute the mean over the batch of KL(N(μ, diag σ²) ‖ N(0, I)) = ½ Σ_k (μ_k² + σ_k² − 1 − log σ_k²).

    Args:
        mean: μ (n, d).
        log_variance: log σ² (n, d).

    Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


class VAE(Autoencoder):
    """Variational autoencoder: E ‖x − g(z)‖² + β·KL(q(z|x) ‖ N(0, I)), z from q(z|x) = N(μ(x), diag σ²(x)).

    With β = 2s² this is, up to a constant and a factor, the negative evidence lower bound of a decoder with Gaussian
    noise of standard deviation s. `encode` returns μ(x); `training_codes` draws from q(z|x).

    Args:
        encoder: network from x (n, *shape) to (μ, log σ²), (n, 2d).
        decoder: g, from codes (n, d) to x̂ (n, *shape).
        dim: number of latent dimensions d.
        beta: β, ≥ 0.

    Source: Kingma & Welling 2014, equation (10); β: Higgins et al. 2017, "beta-VAE", equation (4).
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, dim: int, beta: float = 1.0) -> None:
        super().__init__(encoder, decoder, Normal(dim))
        self.beta = checks.non_negative("beta", beta)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return μ (n, d) and log σ² (n, d) of q(z|x)."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance

    def encode(self, x: Tensor) -> Tensor:
        """Return μ (n, d) of q(z|x)."""
        return self.posterior(x)[0]

    def training_codes(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Draw codes (n, d) from q(z|x)."""
        return self._sample_posterior(*self.posterior(batch.x), context)

    def reconstruct(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return g(μ(x)) (n, *shape), without noise."""
        return self(batch.x)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of the objective; "loss" is their weighted sum."""
        mean, log_variance = self.posterior(batch.x)
        error = squared_error(batch.x, self.decode(self._sample_posterior(mean, log_variance, context)))
        divergence = kl_normal(mean, log_variance)
        return {"loss": error + self.beta * divergence, "reconstruction": error, "kl": divergence}

    def _sample_posterior(self, mean: Tensor, log_variance: Tensor, context: DataParallelContext) -> Tensor:
        """Return μ + σ ⊙ ε, ε from N(0, I), differentiable in μ and log σ²."""
        return mean + (0.5 * log_variance).exp() * context.normal_like(mean)
