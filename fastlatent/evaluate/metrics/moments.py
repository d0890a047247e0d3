"""Mean and covariance of a stream of features, for Fréchet distances over more samples than fit in memory."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...losses.frechet import bures_wasserstein
from ...utils import checks


@dataclass
class GaussianMoments:
    """Count, mean and scatter Σ (x−μ)(x−μ)ᵀ of the features seen so far, in float64 and O(d²) memory.

    Source of the update: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance".
    """

    count: int = 0
    mean: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.float64))
    scatter: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.float64))

    @property
    def covariance(self) -> Tensor:
        """Covariance (d, d) over count − 1.

        Raises:
            ValueError: before two samples were seen.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least 2 samples; got {self.count}")
        return self.scatter / (self.count - 1)

    @torch.no_grad()
    def update(self, x: Tensor) -> "GaussianMoments":
        """Take in a batch of features (n, d), and return self.

        Raises:
            TypeError, ValueError: if x is no floating (n, d), or its d is another than before.
        """
        checks.sample("x", x)
        if x.dim() != 2:
            raise ValueError(f"x must have shape (n, d); got shape {tuple(x.shape)}")
        x = x.double()
        mean = x.mean(0)
        centerd = x - mean
        return self.merge(GaussianMoments(len(x), mean, centerd.mT @ centerd))

    def merge(self, other: "GaussianMoments") -> "GaussianMoments":
        """Take in what another has seen, on another process or part of the data, and return self.

        Raises:
            ValueError: if its d is another.
        """
        if other.count == 0:
            return self
        if self.count == 0:
            self.count, self.mean, self.scatter = other.count, other.mean.clone(), other.scatter.clone()
            return self
        if self.mean.shape != other.mean.shape:
            raise ValueError(f"features must keep their d = {len(self.mean)} coordinates; got d = {len(other.mean)}")
        total = self.count + other.count
        shift = other.mean.to(self.mean.device) - self.mean
        self.scatter += other.scatter.to(self.scatter.device)
        self.scatter += torch.outer(shift, shift) * (self.count * other.count / total)
        self.mean = self.mean + shift * (other.count / total)
        self.count = total
        return self

    def frechet_distance(self, other: "GaussianMoments") -> Tensor:
        """Squared 2-Wasserstein distance between both fitted Gaussians, float64: `frechet_distance` of all samples.

        Raises:
            ValueError: before both have seen two samples of the same d.
        """
        return bures_wasserstein(self.mean, self.covariance, other.mean, other.covariance)
