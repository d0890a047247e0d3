"""Adversarial autoencoders with a cluster and a style: clustering, semi-supervised learning, dimension reduction."""

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
from ..objectives.adversarial import ADVERSARIAL_BETA1, discriminator_loss, non_saturating_loss


class ClusteringAAE(Autoencoder):
    """Adversarial autoencoder with the code [y; z]: y = softmax(f_y(x)) the cluster, z = f_z(x) the style.

    Two discriminators match the code to its prior: D_y matches y to the uniform categorical distribution, which makes y
    nearly one-hot and the clusters equally frequent; D_z matches z to the prior of the style. Encoder and decoder
    minimize E ‖x − g([y; z])‖² − cluster_weight·E log D_y(y) − style_weight·E log D_z(z) and, with an augmentation a,
    consistency_weight·E KL(y(x) ‖ y(a(x))), without gradient to y(x), which makes clusters invariant to a. Each
    discriminator minimizes −E log D(real) − E log(1 − D(fake)).

    The paper updates the encoder for the three terms in turn, by stochastic gradient descent. The steps of Adam do not
    shrink with the gradient: with one update for each term the codes would match the prior exactly, with a larger
    classification error, because classes are not exactly equally frequent, and an exactly normal style carries less
    information about x. Here a weighted sum of the terms is minimized.

    Args:
        encoder: f, from x (n, *shape) to [f_y; f_z] (n, num_clusters + d).
        decoder: g, from [y; z] (n, num_clusters + d) to x̂ (n, *shape).
        cluster_discriminator: D_y, from y (n, num_clusters) to a logit (n,).
        style_discriminator: D_z, from z (n, d) to a logit (n,).
        style: prior of the style, of d dimensions.
        num_clusters: number of clusters; 16 and 30 in the paper.
        cluster_weight, style_weight: weights of the adversarial terms, ≥ 0.
        noise: standard deviation of the noise added to x in training before encoding, ≥ 0.
        discriminator_noise: standard deviation of the noise added in training to the inputs of D_y, ≥ 0. A softmax is
            never exactly one-hot; without noise this difference is enough to separate real from fake samples, and the
            clusters do not change after the first steps.
        augmentation: a, a random transformation of x, e.g. `RandomAffine` for images; None: no consistency term, as in
            the paper.
        consistency_weight: weight of the consistency term, ≥ 0.

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 6; one weighted sum: Tolstikhin et al. 2018,
    algorithm 1; noise on the inputs of a discriminator: Arjovsky & Bottou 2017, "Towards principled methods for
    training generative adversarial networks", section 3; consistency: Hu et al. 2017, "Learning discrete
    representations via information maximizing self-augmented training", equation (3).
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        cluster_discriminator: nn.Module,
        style_discriminator: nn.Module,
        style: Prior,
        num_clusters: int,
        *,
        cluster_weight: float = 100.0,
        style_weight: float = 1.0,
        noise: float = 0.0,
        discriminator_noise: float = 0.0,
        augmentation: Augmentation | None = None,
        consistency_weight: float = 10.0,
    ) -> None:
        category = Categorical(checks.count("num_clusters", num_clusters))
        super().__init__(encoder, decoder, Product((category, style)))
        self.cluster_discriminator, self.style_discriminator = cluster_discriminator, style_discriminator
        self.category, self.style = category, style
        self.cluster_weight = checks.non_negative("cluster_weight", cluster_weight)
        self.style_weight = checks.non_negative("style_weight", style_weight)
        self.noise = checks.non_negative("noise", noise)
        self.discriminator_noise = checks.non_negative("discriminator_noise", discriminator_noise)
        self.augmentation = augmentation
        self.consistency_weight = checks.non_negative("consistency_weight", consistency_weight)

    def heads(self, x: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> tuple[Tensor, Tensor]:
        """Compute logits f_y (n, num_clusters) and styles f_z (n, d) of x (n, *shape), in training with noise on x."""
        return self._split(self.encoder(self._add_noise(x, self.noise, context)))

    def encode(self, x: Tensor, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Encode x (n, *shape) to codes [y; z] (n, num_clusters + d)."""
        logits, style = self.heads(x, context)
        return torch.cat([logits.softmax(1), style], dim=1)

    def training_codes(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Tensor:
        """Return the codes [y; z] (n, num_clusters + d) of a batch."""
        return self.encode(batch.x, context)

    def cluster(self, x: Tensor) -> Tensor:
        """Return the index of the cluster of each x, (n,), from 0 to num_clusters − 1."""
        return self.heads(x)[0].argmax(1)

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of the objective of encoder and decoder; "loss" is their weighted sum."""
        code = self.training_codes(batch, context)
        error = squared_error(batch.x, self.decode(code))
        cluster, style = map(non_saturating_loss, self._discriminator_logits(code, context))
        loss = error + self.cluster_weight * cluster + self.style_weight * style
        terms = {"reconstruction": error, "cluster": cluster, "style": style}
        if self.augmentation:
            augmented = self.augmentation(batch.x, context)
            terms["consistency"] = self.consistency_loss(self._split(code)[0], augmented, context)
            loss = loss + self.consistency_weight * terms["consistency"]
        return {"loss": loss, **terms}

    def consistency_loss(
        self, cluster: Tensor, augmented: Tensor, context: DataParallelContext = SINGLE_PROCESS
    ) -> Tensor:
        """Compute E KL(y(x) ‖ y(a(x))), without gradient to y(x).

        Args:
            cluster: y(x) (n, num_clusters).
            augmented: a(x) (n, *shape).
            context: ranks over which the batch is distributed.
        """
        logits, _ = self.heads(augmented, context)
        return kl_div(logits.log_softmax(1), cluster.detach(), reduction="batchmean")

    def discriminators_loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the losses of both discriminators; "loss" is their sum."""
        with torch.no_grad():
            code = self.training_codes(batch, context)
        fake = self._discriminator_logits(code, context)
        real = self._discriminator_logits(context.local_draw(len(code), self.sample_latent), context)
        cluster, style = map(discriminator_loss, real, fake)
        return {"loss": cluster + style, "cluster": cluster, "style": style}

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases "discriminators" and "autoencoder"."""
        parameters = (*self.cluster_discriminator.parameters(), *self.style_discriminator.parameters())
        discriminators = Phase("discriminators", parameters, self.discriminators_loss, ADVERSARIAL_BETA1)
        return discriminators, *super().phases()

    def _discriminator_logits(self, code: Tensor, context: DataParallelContext) -> tuple[Tensor, Tensor]:
        """Compute the logits of D_y and D_z (n,) of [y; z]."""
        cluster, style = self._split(code)
        noisy = self._add_noise(cluster, self.discriminator_noise, context)
        return self.cluster_discriminator(noisy), self.style_discriminator(style)

    def _split(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """Split [y; z] into y (n, num_clusters) and z (n, d)."""
        return code[:, : self.category.dim], code[:, self.category.dim :]

    def _add_noise(self, x: Tensor, noise: float, context: DataParallelContext) -> Tensor:
        return x + noise * context.normal_like(x) if noise and self.training else x


class SemiSupervisedAAE(ClusteringAAE):
    """`ClusteringAAE` with one cluster for each class, and an additional phase for labeled examples.

    In that phase the encoder minimizes −E log y_label over the labeled examples of a batch (label ≥ 0); `fit` draws the
    batches of this phase from the labeled examples.

    Args:
        encoder, decoder, cluster_discriminator, style_discriminator, style, num_clusters and others: as of
            `ClusteringAAE`; num_clusters is at least the number of classes.

    Source: Makhzani et al. 2015, section 5: the code is 10 classes and a style of 10 dimensions.
    """

    @property
    def num_classes(self) -> int:
        """Number of classes, equal to the number of clusters."""
        return self.category.dim

    def classification_loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return −E log y_label over the labeled examples; 0 if there is none."""
        logits, _ = self.heads(batch.x, context)
        labels = context.all_gather(batch.label[:, None])
        count = (labels != UNLABELED).sum().clamp_min(1) / context.size  # mean number of labels over the ranks
        return {"loss": cross_entropy(logits, batch.label, ignore_index=UNLABELED, reduction="sum") / count}

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases "discriminators", "autoencoder" and "classification"."""
        encoder = tuple(self.encoder.parameters())
        classification = Phase("classification", encoder, self.classification_loss, labeled_only=True)
        return *super().phases(), classification


class DimensionReductionAAE(SemiSupervisedAAE):
    """`SemiSupervisedAAE` with W·y + z, an embedding in d dimensions with separate clusters, as input of the decoder.

    The columns of W (d, num_clusters), the cluster heads, are parameters of the decoder. The reconstruction error has
    the additional term Σ_{i<j} max(0, min_cluster_distance − ‖w_i − w_j‖). Without labels it is unsupervised.

    Args:
        encoder, cluster_discriminator, style_discriminator, style, num_clusters and others: as of `SemiSupervisedAAE`.
        decoder: g, from W·y + z (n, d) to x̂ (n, *shape).
        min_cluster_distance: distance of cluster heads below which they are penalized, > 0.

    Source: Makhzani et al. 2015, section 7.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        cluster_discriminator: nn.Module,
        style_discriminator: nn.Module,
        style: Prior,
        num_clusters: int,
        min_cluster_distance: float = 4.0,
        **options: Any,
    ) -> None:
        discriminators = cluster_discriminator, style_discriminator
        super().__init__(encoder, decoder, *discriminators, style, num_clusters, **options)
        self.min_cluster_distance = checks.positive("min_cluster_distance", min_cluster_distance)
        width = min_cluster_distance * num_clusters ** (1 / style.dim)  # side of a cube of heads at that distance
        self.cluster_heads = nn.Parameter(width / 2 * torch.randn(num_clusters, style.dim))

    def embed(self, z: Tensor) -> Tensor:
        """Compute the embedding W·y + z (n, d) of codes [y; z] (n, num_clusters + d)."""
        cluster, style = self._split(z)
        return cluster @ self.cluster_heads + style

    def decode(self, z: Tensor) -> Tensor:
        """Decode codes [y; z] (n, num_clusters + d) to x̂ (n, *shape)."""
        return self.decoder(self.embed(z))

    def separation_loss(self) -> Tensor:
        """Compute Σ_{i<j} max(0, min_cluster_distance − ‖w_i − w_j‖)."""
        return (self.min_cluster_distance - torch.pdist(self.cluster_heads)).relu().sum()

    def loss(self, batch: Batch, context: DataParallelContext = SINGLE_PROCESS) -> Mapping[str, Tensor]:
        """Return the terms of `ClusteringAAE.loss` and the separation of the cluster heads."""
        terms, separation = super().loss(batch, context), self.separation_loss()
        return {**terms, "loss": terms["loss"] + separation, "separation": separation}

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases of `SemiSupervisedAAE`, with the cluster heads among the autoencoder's parameters."""
        discriminators, autoencoder, *others = super().phases()
        autoencoder = replace(autoencoder, parameters=(*autoencoder.parameters, self.cluster_heads))
        return discriminators, autoencoder, *others
