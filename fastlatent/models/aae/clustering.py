"""Adversarial autoencoders whose code is a cluster and a style: clustering, few labels, dimension reduction."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from ...data.batch import UNLABELED, Batch
from ...priors import Categorical, Prior, Product
from ...utils import checks
from ..augmentation import Augmentation
from ..autoencoder import Autoencoder, squared_error
from ..base.data_parallel import SINGLE_PROCESS, DataParallelContext
from ..base.phase import Phase
from ..objectives.adversarial import ADVERSARIAL_BETA1, critic_loss, non_saturating_loss


class ClusteringAAE(Autoencoder):
    """Adversarial autoencoder with the code [y; z]: y = softmax(f_y(x)) the cluster, z = f_z(x) the style.

    Two games make the codes follow their prior: in one y follows the uniform categorical distribution, so that each x
    chooses one cluster and all are chosen; in the other z follows the style's prior. Encoder and decoder minimize
    E ‖x − g([y; z])‖² − cluster_weight·E log D_y(y) − style_weight·E log D_z(z), and given a view of x also
    consistency_weight·E KL(y(x) ‖ y(view of x)), in which y(x) is held fixed: then clusters disregard how views differ,
    as in the source they need not. Each critic minimizes −E log D(true) − E log(1 − D(made)).

    The source moves the encoder for each of the three in turn, by stochastic gradient descent. Adam's steps, whose size
    does not shrink with the gradient, would then hold the codes to the prior however little is missing: since classes
    are not quite equally frequent, and a style that is exactly normal says less about x, at the cost of the classes.

    Args:
        encoder: f, from x (n, *shape) to [f_y; f_z] (n, clusters + d).
        decoder: g, from [y; z] (n, clusters + d) to x̂ (n, *shape).
        cluster_critic: D_y, from y (n, clusters) to a logit (n,).
        style_critic: D_z, from z (n, d) to a logit (n,).
        style: prior of the style, of d dimensions.
        clusters: number of clusters; 16 and 30 in the source.
        cluster_weight, style_weight: of the games, ≥ 0.
        noise: standard deviation of the noise added to x in training before it is encoded, ≥ 0.
        critic_noise: of the noise added to what the cluster critic judges, ≥ 0. No softmax is ever quite one-hot;
            without noise the critic sees that and nothing else, and each x is driven to the first cluster it leans to.
        view: changes x at random, e.g. a `RandomAffine` of images; None: there is no such term, as in the source.
        consistency_weight: of that term, ≥ 0.

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 6; one weighted sum: Tolstikhin et al. 2018,
    algorithm 1; noise on both sides of a critic: Arjovsky & Bottou 2017, "Towards principled methods for training
    generative adversarial networks", section 3; views: Hu et al. 2017, "Learning discrete representations via
    information maximizing self-augmented training", equation (3).
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
        cluster_weight: float = 100.0,
        style_weight: float = 1.0,
        noise: float = 0.0,
        critic_noise: float = 0.0,
        view: Augmentation | None = None,
        consistency_weight: float = 10.0,
    ) -> None:
        category = Categorical(checks.count("clusters", clusters))
        super().__init__(encoder, decoder, Product((category, style)))
        self.cluster_critic, self.style_critic = cluster_critic, style_critic
        self.category, self.style = category, style
        self.cluster_weight = checks.non_negative("cluster_weight", cluster_weight)
        self.style_weight = checks.non_negative("style_weight", style_weight)
        self.noise = checks.non_negative("noise", noise)
        self.critic_noise = checks.non_negative("critic_noise", critic_noise)
        self.view = view
        self.consistency_weight = checks.non_negative("consistency_weight", consistency_weight)

    def heads(self, x: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> tuple[Tensor, Tensor]:
        """Logits f_y (n, clusters) and style f_z (n, d)."""
        return self._parts(self.encoder(self._add_noise(x, self.noise, context)))

    def encode(self, x: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        logits, style = self.heads(x, context)
        return torch.cat([logits.softmax(1), style], dim=1)

    def codes(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        return self.encode(batch.x, context)

    def cluster(self, x: Tensor) -> Tensor:
        """The cluster of each x, (n,) from 0 to clusters − 1."""
        return self.heads(x)[0].argmax(1)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        code = self.codes(batch, context)
        error = squared_error(batch.x, self.decode(code))
        cluster, style = map(non_saturating_loss, self._judged(code, context))
        loss = error + self.cluster_weight * cluster + self.style_weight * style
        terms = {"reconstruction": error, "cluster": cluster, "style": style}
        if self.view:
            terms["consistency"] = self.consistency_loss(self._parts(code)[0], self.view(batch.x, context), context)
            loss = loss + self.consistency_weight * terms["consistency"]
        return {"loss": loss, **terms}

    def consistency_loss(self, cluster: Tensor, view: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """E KL(y(x) ‖ y(view of x)) for y(x) (n, clusters), through which no gradient flows, and views (n, *shape)."""
        logits, _ = self.heads(view, context)
        return kl_div(logits.log_softmax(1), cluster.detach(), reduction="batchmean")

    def critics_loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """The losses of both critics, and their sum."""
        with torch.no_grad():
            code = self.codes(batch, context)
        made = self._judged(code, context)
        true = self._judged(context.local_draw(len(code), self.draw), context)
        cluster, style = map(critic_loss, true, made)
        return {"loss": cluster + style, "cluster": cluster, "style": style}

    def phases(self) -> tuple[Phase, ...]:
        critics = (*self.cluster_critic.parameters(), *self.style_critic.parameters())
        return Phase("critics", critics, self.critics_loss, ADVERSARIAL_BETA1), *super().phases()

    def _judged(self, code: Tensor, context: DataParallelContext) -> tuple[Tensor, Tensor]:
        """What the critics answer to [y; z]."""
        cluster, style = self._parts(code)
        return self.cluster_critic(self._add_noise(cluster, self.critic_noise, context)), self.style_critic(style)

    def _parts(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """What belongs to the cluster (n, clusters), and the style (n, d)."""
        return code[:, : self.category.dim], code[:, self.category.dim :]

    def _add_noise(self, x: Tensor, noise: float, context: DataParallelContext) -> Tensor:
        return x + noise * context.normal_like(x) if noise and self.training else x


class SemiSupervisedAAE(ClusteringAAE):
    """`ClusteringAAE` with one cluster a class, and a phase more: the labels that are known name the clusters.

    The encoder minimizes −E log y_label over the part of a batch whose label is known (≥ 0); `fit` draws that phase's
    batches from the labeled examples alone.

    Args:
        encoder, decoder, cluster_critic, style_critic, style, clusters and the rest: as of `ClusteringAAE`; clusters is
            at least the number of classes.

    Source: Makhzani et al. 2015, section 5: the code is 10 classes and a style of 10 dimensions.
    """

    @property
    def classes(self) -> int:
        return self.category.dim

    def classification_loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """−E log y_label over what has a label; 0 where nothing has."""
        logits, _ = self.heads(batch.x, context)
        labels = context.all_gather(batch.label[:, None])
        known = (labels != UNLABELED).sum().clamp_min(1) / context.size  # on average over the ranks
        return {"loss": cross_entropy(logits, batch.label, ignore_index=UNLABELED, reduction="sum") / known}

    def phases(self) -> tuple[Phase, ...]:
        encoder = tuple(self.encoder.parameters())
        classification = Phase("classification", encoder, self.classification_loss, labeled=True)
        return *super().phases(), classification


class DimensionReductionAAE(SemiSupervisedAAE):
    """`SemiSupervisedAAE` whose decoder sees W·y + z alone: a map of the data in d dimensions, clusters apart.

    The columns of W (d, clusters), the cluster heads, are learned with the decoder, which adds
    Σ_{i<j} max(0, apart − ‖w_i − w_j‖) to the reconstruction error. Without any label it is unsupervised.

    Args:
        encoder, cluster_critic, style_critic, style, clusters and the rest: as of `SemiSupervisedAAE`.
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
        **options: Any,
    ) -> None:
        super().__init__(encoder, decoder, cluster_critic, style_critic, style, clusters, **options)
        self.apart = checks.positive("apart", apart)
        room = apart * clusters ** (1 / style.dim)  # so wide are clusters that lie that far apart
        self.cluster_heads = nn.Parameter(room / 2 * torch.randn(clusters, style.dim))

    def embed(self, z: Tensor) -> Tensor:
        """W·y + z (n, d) of codes [y; z] (n, clusters + d): the data's place on the map."""
        cluster, style = self._parts(z)
        return cluster @ self.cluster_heads + style

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(self.embed(z))

    def separation(self) -> Tensor:
        """Σ_{i<j} max(0, apart − ‖w_i − w_j‖)."""
        return (self.apart - torch.pdist(self.cluster_heads)).relu().sum()

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        terms, separation = super().loss(batch, context), self.separation()
        return {**terms, "loss": terms["loss"] + separation, "separation": separation}

    def phases(self) -> tuple[Phase, ...]:
        critics, autoencoder, *others = super().phases()
        return critics, replace(autoencoder, parameters=(*autoencoder.parameters, self.cluster_heads)), *others
