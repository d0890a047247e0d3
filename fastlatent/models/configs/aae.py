"""Configurations of adversarial autoencoders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from ...priors import GaussianMixture2D, LabeledPrior, Normal, SwissRoll
from ...utils import checks
from .. import networks
from ..aae.base import AAE, LabeledAAE, SupervisedAAE
from ..aae.clustering import ClusteringAAE, DimensionReductionAAE, SemiSupervisedAAE
from ..augmentation import RandomAffine
from .base import NetworksConfig, NetworksWithPriorConfig

MAKHZANI = "Makhzani et al. 2015"


@dataclass(frozen=True)
class AAEConfig(NetworksWithPriorConfig):
    """Adversarial autoencoder: a discriminator matches the codes to the prior."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 2
    """Number of latent dimensions; 2 for mixture and swiss-roll."""

    def build(self, shape: Sequence[int]) -> AAE:
        """Build the adversarial autoencoder."""
        modules = self.encoder(shape), self.decoder(shape), self.code_discriminator(self.latent_dim)
        return AAE(*modules, self.build_prior())


@dataclass(frozen=True)
class AAELabeledConfig(NetworksConfig):
    """Adversarial autoencoder with a label-conditional discriminator: a part of a 2-D prior for each class."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 2
    """Number of latent dimensions: 2, as of the priors."""
    prior: Literal["mixture", "swiss-roll"] = "mixture"
    """Prior distribution of the codes, with a part for each class."""
    num_classes: int = 10
    """Number of classes."""

    def build(self, shape: Sequence[int]) -> LabeledAAE:
        """Build the adversarial autoencoder with labels.

        Raises:
            ValueError: if latent_dim is not 2.
        """
        checks.choice("prior", self.prior, ("mixture", "swiss-roll"))
        prior: LabeledPrior = (
            GaussianMixture2D(self.num_classes) if self.prior == "mixture" else SwissRoll(num_classes=self.num_classes)
        )
        if self.latent_dim != prior.dim:
            raise ValueError(f"prior {self.prior!r} needs latent_dim = {prior.dim}; got {self.latent_dim}")
        discriminator = self.code_discriminator(prior.dim + self.num_classes + 1)
        return LabeledAAE(self.encoder(shape), self.decoder(shape), discriminator, prior)


@dataclass(frozen=True)
class AAESupervisedConfig(NetworksConfig):
    """Adversarial autoencoder with the label as input of the decoder: the code describes the style only."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 15
    """Number of dimensions of the style."""
    num_classes: int = 10
    """Number of classes."""

    def build(self, shape: Sequence[int]) -> SupervisedAAE:
        """Build the supervised adversarial autoencoder."""
        decoder = self.decoder(shape, self.num_classes + self.latent_dim)
        discriminator = self.code_discriminator(self.latent_dim)
        return SupervisedAAE(self.encoder(shape), decoder, discriminator, Normal(self.latent_dim), self.num_classes)


@dataclass(frozen=True)
class _ClusterConfig(NetworksConfig):
    noise: float = 0.3
    """Standard deviation of the noise added to the encoder's inputs in training."""
    discriminator_noise: float = 0.3
    """Standard deviation of the noise added to the inputs of the cluster discriminator in training."""
    cluster_weight: float = 100.0
    """Weight of the adversarial term of the clusters."""
    style_weight: float = 1.0
    """Weight of the adversarial term of the style."""
    affine_augmentation: float = 0.0
    """Standard deviation of the consistency term's random affine maps, e.g. 0.2; 0: no such term, as in the paper."""
    consistency_weight: float = 10.0
    """Weight of the consistency term: the divergence of an image's cluster from that of its augmented copy."""
    batch_norm: Literal["all", "last"] = "all"
    """Encoder layers with batch normalization: all, as in the paper, or the last, better after few epochs.
    Networks other than mlp: always the last."""

    def encoder(self, shape: Sequence[int], outputs: int | None = None) -> nn.Module:
        """Build the encoder, with batch normalization of its outputs; without it all examples soon share a cluster.

        Args:
            shape: shape of x without the batch dimension.
            outputs: number of outputs; None: latent_dim.

        Source: Makhzani et al. 2015, appendix: batch normalization of the encoder, the softmax layer included.
        """
        outputs = outputs or self.latent_dim
        if self.network == "mlp" and self.batch_norm == "all":
            self._check()
            return networks.mlp_encoder(shape, outputs, self.hidden, batch_norm=True)
        return nn.Sequential(super().encoder(shape, outputs), nn.BatchNorm1d(outputs))

    def loss_options(self) -> dict[str, Any]:
        """Return the keyword arguments of `ClusteringAAE`: weights, noise and augmentation."""
        names = "cluster_weight", "style_weight", "consistency_weight", "noise", "discriminator_noise"
        amount = checks.non_negative("affine_augmentation", self.affine_augmentation)
        augmentation = RandomAffine(amount) if amount else None
        return {**{name: getattr(self, name) for name in names}, "augmentation": augmentation}

    def _check(self) -> None:
        super()._check()
        checks.choice("batch_norm", self.batch_norm, ("all", "last"))


@dataclass(frozen=True)
class AAEClusteringConfig(_ClusterConfig):
    """Adversarial autoencoder with a cluster and a style: unsupervised clustering."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 5
    """Number of dimensions of the style."""
    num_clusters: int = 16
    """Number of clusters."""

    def build(self, shape: Sequence[int]) -> ClusteringAAE:
        """Build the clustering adversarial autoencoder."""
        outputs = self.num_clusters + self.latent_dim
        discriminators = self.code_discriminator(self.num_clusters), self.code_discriminator(self.latent_dim)
        return ClusteringAAE(
            self.encoder(shape, outputs),
            self.decoder(shape, outputs),
            *discriminators,
            Normal(self.latent_dim),
            self.num_clusters,
            **self.loss_options(),
        )


@dataclass(frozen=True)
class AAESemiSupervisedConfig(_ClusterConfig):
    """Adversarial autoencoder with a class and a style, for partly labeled data (--labels-per-class)."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 10
    """Number of dimensions of the style."""
    num_classes: int = 10
    """Number of classes."""

    def build(self, shape: Sequence[int]) -> SemiSupervisedAAE:
        """Build the semi-supervised adversarial autoencoder."""
        outputs = self.num_classes + self.latent_dim
        discriminators = self.code_discriminator(self.num_classes), self.code_discriminator(self.latent_dim)
        return SemiSupervisedAAE(
            self.encoder(shape, outputs),
            self.decoder(shape, outputs),
            *discriminators,
            Normal(self.latent_dim),
            self.num_classes,
            **self.loss_options(),
        )


@dataclass(frozen=True)
class AAEDimensionReductionConfig(_ClusterConfig):
    """Adversarial autoencoder for dimension reduction with separate clusters, with or without labels."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 2
    """Number of dimensions of the embedding."""
    num_clusters: int = 20
    """Number of clusters, ≥ the number of classes."""
    min_cluster_distance: float = 4.0
    """Distance of cluster heads in the embedding below which they are penalized."""

    def build(self, shape: Sequence[int]) -> DimensionReductionAAE:
        """Build the adversarial autoencoder for dimension reduction."""
        encoder = self.encoder(shape, self.num_clusters + self.latent_dim)
        discriminators = self.code_discriminator(self.num_clusters), self.code_discriminator(self.latent_dim)
        return DimensionReductionAAE(
            encoder,
            self.decoder(shape),
            *discriminators,
            Normal(self.latent_dim),
            self.num_clusters,
            self.min_cluster_distance,
            **self.loss_options(),
        )
