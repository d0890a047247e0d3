"""Classification error and cluster-to-label error of adversarial autoencoders with a categorical code."""

import torch
from torch import Tensor

from ...data.batch import UNLABELED
from ...models import ClusteringAAE, SemiSupervisedAAE
from ..evaluated_model import EvaluatedModel
from .result import MetricResult

CLASSIFICATION = "Classification error, test {}"
CLUSTERS = "Cluster-to-label error, {} clusters labeled by a fifth of the test {}, error on the rest"


def error_rates(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the cluster-to-label error and, of a model trained with labels, the classification error.

    Raises:
        TypeError: if the model is not a ClusteringAAE.
    """
    if not isinstance(evaluated.model, ClusteringAAE):
        raise TypeError(f"only the code of a ClusteringAAE has clusters; got {type(evaluated.model).__name__}")
    model, kind, labels = evaluated.model, evaluated.data.kind, evaluated.test.label
    is_classifier = isinstance(model, SemiSupervisedAAE) and (evaluated.data.train.labels != UNLABELED).any()
    clusters = model.category.dim
    q = evaluated.codes[:, :clusters]
    majority = labels.bincount().max().item() / len(labels)
    errors = {CLASSIFICATION.format(kind): classification_error(q, labels)} if is_classifier else {}
    errors[CLUSTERS.format(clusters, kind)] = cluster_to_label_error(q, labels, every_fifth(len(labels)).to(q.device))
    return [
        result
        for group, error in errors.items()
        for result in (
            MetricResult(group, "this model", error, is_model=True),
            MetricResult(group, "majority class", 1 - majority),
        )
    ]


def classification_error(probabilities: Tensor, labels: Tensor) -> float:
    """Compute the share of examples with a wrong most probable class, P(argmax_i q(y_i|x) ≠ y).

    Args:
        probabilities: q(y_i|x), (n, classes).
        labels: y (n,), from 0.

    Source: Makhzani et al. 2015, "Adversarial Autoencoders", section 5.
    """
    return float((probabilities.argmax(1) != labels).double().mean())


def cluster_labels(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Return the label of each cluster i, (clusters,): that of the validation example with the highest q(y_i|x).

    Args:
        probabilities: q(y_i|x) of validation examples, (n, clusters), n ≥ 1.
        labels: labels of these examples, (n,).

    Raises:
        ValueError: if there are no examples, or the numbers of examples and labels differ.

    Source: Makhzani et al. 2015, section 6.
    """
    if probabilities.dim() != 2 or len(probabilities) != len(labels) or len(labels) == 0:
        got = f"{tuple(probabilities.shape)} and {tuple(labels.shape)}"
        raise ValueError(f"probabilities and labels must be (n, clusters) and (n,), n >= 1; got {got}")
    return labels[probabilities.argmax(0)]


def cluster_to_label_error(probabilities: Tensor, labels: Tensor, validation: Tensor) -> float:
    """Compute the share of examples with another label than their cluster argmax_i q(y_i|x) (`cluster_labels`).

    Args:
        probabilities: q(y_i|x), (n, clusters).
        labels: y (n,).
        validation: mask (n,), true for the examples that label the clusters; the error is over the others.

    Raises:
        ValueError: if validation is true for all or none of the examples.

    Source: Makhzani et al. 2015, section 6.
    """
    if validation.all() or not validation.any():
        raise ValueError("validation must be true for some examples and false for others; got all or none")
    label_of_cluster = cluster_labels(probabilities[validation], labels[validation])
    predicted = label_of_cluster[probabilities[~validation].argmax(1)]
    return float((predicted != labels[~validation]).double().mean())


def every_fifth(n: int) -> Tensor:
    """Return the mask (n,) of the validation examples, those with indices 0, 5, 10 and so on."""
    return torch.arange(n) % 5 == 0
