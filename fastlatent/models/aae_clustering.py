"""Adversarial autoencoders whose code is a cluster and a style: clustering, few labels, dimension reduction."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..losses import checks
from ..priors import UNKNOWN, Categorical, Prior, Product
from .adversarial import game
from .autoencoder import Autoencoder
from .phase import Batch, Phase


class ClusteringAAE(Autoencoder):
    """Adversarial autoencoder with the code [y; z]: y = softmax(f_y(x)) the cluster, z = f_z(x) the style.

    After reconstruction of x from [y; z] two games are played: one makes y follow the uniform categorical
    distribution, so that each x chooses one cluster and all are chosen; the other makes z follow the style's prior.

    Args:
        encoder: f, from x (n, *shape) to [f_y; f_z] (n, clusters + d).
        decoder: g, from [y; z] (n, clusters + d) to x̂ (n, *shape).
        cluster_critic: from y (n, clusters) to a logit (n,).
        style_critic: from z (n, d) to a logit (n,).
        style: prior of the style, of d dimensions.
        clusters: number of clusters; 16 and 30 in the source.
        noise: standard deviation of the noise added to x in training before it is encoded, ≥ 0.
        critic_noise: of the noise added to what the cluster critic judges, ≥ 0. No softmax is ever quite one-hot;
            without noise the critic sees that and nothing else, and each x is driven to the first cluster it leans to.

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 6; noise on both sides of a critic: Arjovsky &
    Bottou 2017, "Towards principled methods for training generative adversarial networks", section 3.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        cluster_critic: nn.Module,
        style_critic: nn.Module,
        style: Prior,
        clusters: int,
        *,
        noise: float = 0.0,
        critic_noise: float = 0.0,
    ) -> None:
        category = Categorical(checks.count("clusters", clusters))
        super().__init__(encoder, decoder, Product((category, style)))
        self.cluster_critic, self.style_critic = cluster_critic, style_critic
        self.category, self.style = category, style
        self.noise = checks.non_negative("noise", noise)
        self.critic_noise = checks.non_negative("critic_noise", critic_noise)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits f_y (n, clusters) and style f_z (n, d)."""
        made = self.encoder(self._blurred(x, self.noise))
        return made[:, : self.category.dim], made[:, self.category.dim :]

    def encode(self, x: Tensor) -> Tensor:
        logits, style = self.heads(x)
        return torch.cat([logits.softmax(1), style], dim=1)

    def cluster(self, x: Tensor) -> Tensor:
        """The cluster of each x, (n,) from 0 to clusters − 1."""
        return self.heads(x)[0].argmax(1)

    def _blurred(self, x: Tensor, noise: float) -> Tensor:
        return x + noise * self.ranks.normal_like(x) if noise and self.training else x

    def phases(self) -> tuple[Phase, ...]:
        clusters = self.category.dim
        return (
            *super().phases(),
            *self._game("cluster ", self.cluster_critic, self.category, slice(clusters), self.critic_noise),
            *self._game("style ", self.style_critic, self.style, slice(clusters, None), 0.0),
        )

    def _game(
        self, name: str, critic: nn.Module, prior: Prior, part: slice, critic_noise: float
    ) -> tuple[Phase, Phase]:
        """The game that makes this part of the codes follow its prior."""

        def real(batch: Batch) -> Tensor:
            x = batch.x
            sample = self.ranks.draw(len(x), lambda n: prior.sample(n, device=x.device, dtype=x.dtype))
            return self._blurred(sample, critic_noise)

        def made(batch: Batch) -> Tensor:
            return self._blurred(self.encode(batch.x)[:, part], critic_noise)

        return game(critic, tuple(self.encoder.parameters()), real=real, made=made, name=name)


class SemiSupervisedAAE(ClusteringAAE):
    """`ClusteringAAE` with one cluster a class, and a phase more: the labels that are known name the clusters.

    The encoder minimises −E log y_label over the part of a batch whose label is known (≥ 0); `fit` draws that phase's
    batches from the labelled examples alone.

    Args:
        encoder, decoder, cluster_critic, style_critic, style, clusters, noise, critic_noise: as of `ClusteringAAE`;
            clusters is at least the number of classes.

    Source: Makhzani et al. 2015, section 5: the code is 10 classes and a style of 10 dimensions.
    """

    @property
    def classes(self) -> int:
        return self.category.dim

    def classification_loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """−E log y_label over what has a label; 0 where nothing has."""
        logits, _ = self.heads(batch.x)
        labels = self.ranks.whole(batch.label[:, None])
        known = (labels != UNKNOWN).sum().clamp_min(1) / self.ranks.size  # on average over the ranks
        return {"loss": cross_entropy(logits, batch.label, ignore_index=UNKNOWN, reduction="sum") / known}

    def phases(self) -> tuple[Phase, ...]:
        encoder = tuple(self.encoder.parameters())
        classification = Phase("classification", encoder, self.classification_loss, labelled=True)
        return *super().phases(), classification


class DimensionReductionAAE(SemiSupervisedAAE):
    """`SemiSupervisedAAE` whose decoder sees W·y + z alone: a map of the data in d dimensions, clusters apart.

    The columns of W (d, clusters), the cluster heads, are learned with the decoder, which adds
    Σ_{i<j} max(0, apart − ‖w_i − w_j‖) to the reconstruction error. Without any label it is unsupervised.

    Args:
        encoder, cluster_critic, style_critic, style, clusters, noise, critic_noise: as of `SemiSupervisedAAE`.
        decoder: g, from W·y + z (n, d) to x̂ (n, *shape).
        apart: distance that the cluster heads are to keep, > 0.

    Source: Makhzani et al. 2015, section 7.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        cluster_critic: nn.Module,
        style_critic: nn.Module,
        style: Prior,
        clusters: int,
        apart: float = 4.0,
        **noises: float,
    ) -> None:
        super().__init__(encoder, decoder, cluster_critic, style_critic, style, clusters, **noises)
        self.apart = checks.positive("apart", apart)
        room = apart * clusters ** (1 / style.dim)  # so wide are clusters that lie that far apart
        self.cluster_heads = nn.Parameter(room / 2 * torch.randn(clusters, style.dim))

    def embed(self, z: Tensor) -> Tensor:
        """W·y + z (n, d) of codes [y; z] (n, clusters + d): the data's place on the map."""
        return z[:, : self.category.dim] @ self.cluster_heads + z[:, self.category.dim :]

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(self.embed(z))

    def separation(self) -> Tensor:
        """Σ_{i<j} max(0, apart − ‖w_i − w_j‖)."""
        return (self.apart - torch.pdist(self.cluster_heads)).relu().sum()

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        error, separation = super().loss(batch)["reconstruction"], self.separation()
        return {"loss": error + separation, "reconstruction": error, "separation": separation}

    def phases(self) -> tuple[Phase, ...]:
        first, *others = super().phases()
        return Phase(first.name, (*first.parameters, self.cluster_heads), first.loss), *others
