"""Streaming mean and covariance of features, for Fréchet distances over samples that do not fit in memory."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...losses.frechet import bures_wasserstein
from ...utils import checks


@dataclass
class GaussianMoments:
    """Count, mean and scatter Σ (x−μ)(x−μ)ᵀ of a stream of features, in float64 and O(d²) memory.

    Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance".
    """

    count: int = 0
    mean: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.float64))
    scatter: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.float64))

    @property
    def covariance(self) -> Tensor:
        """Covariance (d, d), normalized by count − 1.

        Raises:
            ValueError: for fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least 2 samples; got {self.count}")
        return self.scatter / (self.count - 1)

    @torch.no_grad()
    def update(self, x: Tensor) -> "GaussianMoments":
        """Add a batch of features.

        Args:
            x: (n, d), floating-point.

        Returns:
            self.

        Raises:
            TypeError, ValueError: for another shape or dtype, or if d differs from that of earlier batches.
        """
        checks.sample("x", x)
        if x.dim() != 2:
            raise ValueError(f"x must have shape (n, d); got shape {tuple(x.shape)}")
        x = x.double()
        mean = x.mean(0)
        centered = x - mean
        return self.merge(GaussianMoments(len(x), mean, centered.mT @ centered))

    def merge(self, other: "GaussianMoments") -> "GaussianMoments":
        """Add the moments of other features, of another process or part of the data.

        Returns:
            self.

        Raises:
            ValueError: if d differs.
        """
        if other.count == 0:
            return self
        if self.count == 0:
            self.count, self.mean, self.scatter = other.count, other.mean.clone(), other.scatter.clone()
            return self
        if self.mean.shape != other.mean.shape:
            raise ValueError(f"features must have d = {len(self.mean)} coordinates; got d = {len(other.mean)}")
        total = self.count + other.count
        shift = other.mean.to(self.mean.device) - self.mean
        self.scatter += other.scatter.to(self.scatter.device)
        self.scatter += torch.outer(shift, shift) * (self.count * other.count / total)
        self.mean = self.mean + shift * (other.count / total)
        self.count = total
        return self

    def frechet_distance(self, other: "GaussianMoments") -> Tensor:
        """Compute the squared 2-Wasserstein distance between the fitted Gaussians, in float64.

        It equals `fastlatent.frechet_distance` of all samples.

        Raises:
            ValueError: for fewer than two samples on either side, or if d differs.
        """
        return bures_wasserstein(self.mean, self.covariance, other.mean, other.covariance)
