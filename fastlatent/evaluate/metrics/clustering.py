"""How well the clusters of an adversarial autoencoder name the classes."""

import torch
from torch import Tensor

from ...data.batch import UNLABELED
from ...models import ClusteringAAE, SemiSupervisedAAE
from ..evaluated_model import EvaluatedModel
from .result import MetricResult

CLASSIFICATION = "Classification error, test {}"
CLUSTERS = "Cluster-to-label error, {} clusters named by a fifth of the test {}, error on the rest"


def errors(subject: EvaluatedModel) -> list[MetricResult]:
    """Of a clustering autoencoder the cluster-to-label error; the classification error of one that was shown labels.

    Raises:
        TypeError: if the model has no clusters.
    """
    if not isinstance(subject.model, ClusteringAAE):
        raise TypeError(f"only the code of a ClusteringAAE has clusters; got {type(subject.model).__name__}")
    kind, clusters, labels = subject.data.kind, subject.model.category.dim, subject.test.label
    shown = isinstance(subject.model, SemiSupervisedAAE) and (subject.data.train.labels != UNLABELED).any()
    q = subject.codes[:, :clusters]
    share = labels.bincount().max().item() / len(labels)
    guess = "the most common class, always"
    found = {CLASSIFICATION.format(kind): classification_error(q, labels)} if shown else {}
    found[CLUSTERS.format(clusters, kind)] = cluster_to_label_error(q, labels, every_fifth(len(labels)).to(q.device))
    return [
        number
        for group, error in found.items()
        for number in (MetricResult(group, "this model", error, ours=True), MetricResult(group, guess, 1 - share))
    ]


def classification_error(probabilities: Tensor, labels: Tensor) -> float:
    """Share of examples whose most probable class is not theirs: P(argmax_i q(y_i|x) ≠ y).

    Args:
        probabilities: q(y_i|x), (n, classes).
        labels: y (n,), from 0.

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 5.
    """
    return float((probabilities.argmax(1) != labels).double().mean())


def cluster_names(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The label of each cluster, (clusters,): that of the validation example with the highest q(y_i|x).

    Args:
        probabilities: q(y_i|x) of validation examples, (n, clusters), n ≥ 1.
        labels: theirs, (n,).

    Raises:
        ValueError: if there is no example, or not a label for each.

    Source: Makhzani et al. 2015, section 6.
    """
    if probabilities.dim() != 2 or len(probabilities) != len(labels) or len(labels) == 0:
        got = f"{tuple(probabilities.shape)} and {tuple(labels.shape)}"
        raise ValueError(f"probabilities and labels must be (n, clusters) and (n,), n >= 1; got {got}")
    return labels[probabilities.argmax(0)]


def cluster_to_label_error(probabilities: Tensor, labels: Tensor, validation: Tensor) -> float:
    """Share of examples whose cluster, argmax_i q(y_i|x), has not their label, clusters being named by some examples.

    Args:
        probabilities: q(y_i|x), (n, clusters).
        labels: (n,).
        validation: (n,) whether an example names clusters (`cluster_names`); the error is over the others.

    Raises:
        ValueError: if all or none of the examples name clusters.

    Source: Makhzani et al. 2015, section 6.
    """
    if validation.all() or not validation.any():
        raise ValueError("validation must hold for some examples and not for others; got all or none")
    names = cluster_names(probabilities[validation], labels[validation])
    found = names[probabilities[~validation].argmax(1)]
    return float((found != labels[~validation]).double().mean())


def every_fifth(n: int) -> Tensor:
    """The validation examples among n: (n,) true for the first, the sixth, …"""
    return torch.arange(n) % 5 == 0
