"""Named adversarial autoencoders."""

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
    """Adversarial autoencoder: a critic makes the codes follow the prior."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 2
    """Number of coordinates of a code; mixture and swiss-roll have 2."""

    def build(self, shape: Sequence[int]) -> AAE:
        """The adversarial autoencoder."""
        return AAE(self.encoder(shape), self.decoder(shape), self.critic(self.latent_dim), self.target())


@dataclass(frozen=True)
class AAELabeledConfig(NetworksConfig):
    """Adversarial autoencoder whose critic is told the class: each class fills its part of a 2-D prior."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 2
    """Number of coordinates of a code: 2, as the priors have."""
    prior: Literal["mixture", "swiss-roll"] = "mixture"
    """Distribution of the codes, with a part for each class."""
    classes: int = 10
    """Number of classes in the data."""

    def build(self, shape: Sequence[int]) -> LabeledAAE:
        """The adversarial autoencoder with labels.

        Raises:
            ValueError: if latent_dim is not 2.
        """
        checks.choice("prior", self.prior, ("mixture", "swiss-roll"))
        target: LabeledPrior = (
            GaussianMixture2D(self.classes) if self.prior == "mixture" else SwissRoll(classes=self.classes)
        )
        if self.latent_dim != target.dim:
            raise ValueError(f"prior {self.prior!r} needs latent_dim = {target.dim}; got {self.latent_dim}")
        critic = self.critic(target.dim + self.classes + 1)
        return LabeledAAE(self.encoder(shape), self.decoder(shape), critic, target)


@dataclass(frozen=True)
class AAESupervisedConfig(NetworksConfig):
    """Adversarial autoencoder whose decoder is given the label: the code holds the style."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 15
    """Number of coordinates of the style."""
    classes: int = 10
    """Number of classes in the data."""

    def build(self, shape: Sequence[int]) -> SupervisedAAE:
        """The supervised adversarial autoencoder."""
        decoder = self.decoder(shape, self.classes + self.latent_dim)
        critic = self.critic(self.latent_dim)
        return SupervisedAAE(self.encoder(shape), decoder, critic, Normal(self.latent_dim), self.classes)


@dataclass(frozen=True)
class _WithClusters(NetworksConfig):
    noise: float = 0.3
    """Standard deviation of the noise on what is encoded in training."""
    critic_noise: float = 0.3
    """Standard deviation of the noise on what the critic of clusters judges."""
    cluster_weight: float = 100.0
    """Weight of the game for the clusters."""
    style_weight: float = 1.0
    """Weight of the game for the style."""
    deformation: float = 0.0
    """How far images are deformed that are to stay in their cluster, 0.2 for pictures of digits; 0: none are, as in the
    source."""
    consistency_weight: float = 10.0
    """Weight of the agreement of an image's cluster with that of the deformed image."""
    normalized: Literal["all", "last"] = "all"
    """Layers of the encoder that are normalized over the batch: all of an mlp, as in the source, or the last alone,
    which finds clusters nearer the classes in few epochs; of another network always the last."""

    def encoder(self, shape: Sequence[int], outputs: int | None = None) -> nn.Module:
        """The encoder, normalized over the batch, its outputs too, without which one cluster soon takes all.

        Source: Makhzani et al. 2015, appendix: batch normalization of the encoder, the softmax layer included.
        """
        outputs = outputs or self.latent_dim
        if self.network == "mlp" and self.normalized == "all":
            self._check()
            return networks.mlp_encoder(shape, outputs, self.hidden, normalized=True)
        return nn.Sequential(super().encoder(shape, outputs), nn.BatchNorm1d(outputs))

    def objective(self) -> dict[str, Any]:
        """The weights of the terms, the noises and the view."""
        names = "cluster_weight", "style_weight", "consistency_weight", "noise", "critic_noise"
        amount = checks.non_negative("deformation", self.deformation)
        return {**{name: getattr(self, name) for name in names}, "view": RandomAffine(amount) if amount else None}

    def _check(self) -> None:
        super()._check()
        checks.choice("normalized", self.normalized, ("all", "last"))


@dataclass(frozen=True)
class AAEClusteringConfig(_WithClusters):
    """Adversarial autoencoder with a cluster and a style: unsupervised clustering."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 5
    """Number of coordinates of the style."""
    clusters: int = 16
    """Number of clusters."""

    def build(self, shape: Sequence[int]) -> ClusteringAAE:
        """The clustering adversarial autoencoder."""
        outputs = self.clusters + self.latent_dim
        critics = self.critic(self.clusters), self.critic(self.latent_dim)
        return ClusteringAAE(
            self.encoder(shape, outputs),
            self.decoder(shape, outputs),
            *critics,
            Normal(self.latent_dim),
            self.clusters,
            **self.objective(),
        )


@dataclass(frozen=True)
class AAESemiSupervisedConfig(_WithClusters):
    """Adversarial autoencoder with a class and a style, learned from few labels (--labels-per-class)."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 10
    """Number of coordinates of the style."""
    classes: int = 10
    """Number of classes in the data."""

    def build(self, shape: Sequence[int]) -> SemiSupervisedAAE:
        """The semi-supervised adversarial autoencoder."""
        outputs = self.classes + self.latent_dim
        critics = self.critic(self.classes), self.critic(self.latent_dim)
        return SemiSupervisedAAE(
            self.encoder(shape, outputs),
            self.decoder(shape, outputs),
            *critics,
            Normal(self.latent_dim),
            self.classes,
            **self.objective(),
        )


@dataclass(frozen=True)
class AAEDimensionReductionConfig(_WithClusters):
    """Adversarial autoencoder that maps data into few dimensions, clusters apart; with labels or without."""

    source: ClassVar[str] = MAKHZANI

    latent_dim: int = 2
    """Number of coordinates of the map."""
    clusters: int = 20
    """Number of clusters, at least that of the classes."""
    apart: float = 4.0
    """Distance that the clusters' places on the map are to keep."""

    def build(self, shape: Sequence[int]) -> DimensionReductionAAE:
        """The adversarial autoencoder for dimension reduction."""
        encoder = self.encoder(shape, self.clusters + self.latent_dim)
        critics = self.critic(self.clusters), self.critic(self.latent_dim)
        style = Normal(self.latent_dim)
        return DimensionReductionAAE(
            encoder,
            self.decoder(shape),
            *critics,
            style,
            self.clusters,
            self.apart,
            **self.objective(),
        )
