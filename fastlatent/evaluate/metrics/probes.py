"""Accuracies of probes of frozen codes: a single layer, a linear SVM, and k-means clusters."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from ...data.batch import Batch
from ...utils import checks
from ..evaluated_model import EvaluatedModel
from .result import MetricResult

EPSILON = 1e-5  # added to singular values before codes are divided by them
MAX_ITERATIONS = 1000  # of a solver


class LabeledCodes(NamedTuple):
    """Codes (n, d) and their labels (n,), from 0."""

    codes: np.ndarray
    labels: np.ndarray


Accuracy: TypeAlias = Callable[[LabeledCodes, LabeledCodes], float]  # of training codes and test codes

SINGLE_LAYER = "Accuracy of a single-layer classifier on codes, test {}"
CLUSTERING = "Accuracy of k-means on whitened codes, {:,} random starts, test {}"
SVM = "Accuracy of a linear SVM on codes, test {}"


def accuracies(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the accuracies of a single layer and of k-means on codes."""
    kind, starts = evaluated.data.kind, evaluated.kmeans_starts
    groups: dict[str, Accuracy] = {
        SINGLE_LAYER.format(kind): single_layer_accuracy,
        CLUSTERING.format(starts, kind): partial(clustering_accuracy, clusters=evaluated.num_classes, starts=starts),
    }
    return [result for group, accuracy in groups.items() for result in _on_codes(evaluated, group, accuracy)]


def svm(evaluated: EvaluatedModel) -> list[MetricResult]:
    """Compute the accuracy of a linear SVM on codes."""
    return _on_codes(evaluated, SVM.format(evaluated.data.kind), svm_accuracy)


def single_layer_accuracy(train: LabeledCodes, test: LabeledCodes) -> float:
    """Compute the accuracy on test codes of a single-layer classifier softmax(W·z + b) fitted to training codes.

    Codes are standardized by the training codes; W and b minimize the summed cross entropy + ½‖W‖², by L-BFGS. In the
    paper the layer is trained jointly with the autoencoder, by Adam, without the second term.

    Args:
        train: training codes and labels.
        test: test codes and labels.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", section 4.
    """
    return _accuracy(LogisticRegression(max_iter=MAX_ITERATIONS), train, test)


def svm_accuracy(train: LabeledCodes, test: LabeledCodes) -> float:
    """Compute the accuracy on test codes of one-vs-rest linear SVMs fitted to training codes.

    Codes are standardized by the training codes; C = 1.

    Args:
        train: training codes and labels.
        test: test codes and labels.

    Source: Achlioptas et al. 2018, "Learning representations and generative models for 3D point clouds", section 5.
    """
    return _accuracy(LinearSVC(max_iter=MAX_ITERATIONS, dual="auto", random_state=0), train, test)


def clustering_accuracy(train: LabeledCodes, test: LabeledCodes, *, clusters: int, starts: int = 1000) -> float:
    """Compute the accuracy on test codes of k-means clusters of training codes, matched one-to-one with labels.

    Codes are whitened (`whiten`); k-means on training codes runs from random starts, and the run of lowest inertia is
    used; the clusters of test codes are matched with labels (`matched_accuracy`).

    Args:
        train: training codes; their labels are ignored.
        test: test codes and labels.
        clusters: number of clusters, equal to the number of classes.
        starts: number of random starts; 1,000 in the paper.

    Raises:
        TypeError, ValueError: if clusters or starts is not an integer ≥ 1, or there are fewer codes than clusters.

    Source: Berthelot et al. 2018, section 4, and the authors' code.
    """
    checks.count("starts", starts)
    if checks.count("clusters", clusters) > len(train.codes):
        raise ValueError(f"clusters must be at most {len(train.codes)}, the number of training codes; got {clusters}")
    whitened = whiten(train.codes, test.codes)
    train_codes, test_codes = (z.astype(np.float32) for z in whitened)  # k-means is 2.6 times faster than in float64
    kmeans = KMeans(clusters, init="random", n_init=starts, max_iter=MAX_ITERATIONS, random_state=0).fit(train_codes)
    return matched_accuracy(kmeans.predict(test_codes), test.labels)


def whiten(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whiten codes by the SVD U·diag(s)·Vᵀ of the centered training codes: (z − mean)·V/(s + 1e−5).

    Args:
        train: codes (n, d).
        test: codes (m, d).

    Returns:
        Whitened training and test codes, (n, min(n, d)) and (m, min(n, d)).
    """
    mean = train.mean(0)
    _, s, vt = np.linalg.svd(train - mean, full_matrices=False)
    whitened_train, whitened_test = ((z - mean) @ vt.T / (s + EPSILON) for z in (train, test))
    return whitened_train, whitened_test


def matched_accuracy(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Compute the accuracy of clusters under the best one-to-one assignment of labels to clusters.

    Args:
        clusters: cluster of each example, (n,) integers from 0.
        labels: label of each example, (n,) integers from 0.

    Raises:
        ValueError: if clusters and labels differ in length or are empty.

    Source: Kuhn 1955, "The Hungarian method for the assignment problem".
    """
    if len(clusters) != len(labels) or len(labels) == 0:
        raise ValueError(
            f"clusters and labels must have the same length, at least 1; got {len(clusters)} and {len(labels)}"
        )
    table = np.zeros((clusters.max() + 1, labels.max() + 1), int)
    np.add.at(table, (clusters, labels), 1)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / len(labels))


def _on_codes(evaluated: EvaluatedModel, group: str, accuracy: Accuracy) -> list[MetricResult]:
    """Compute the accuracy on codes, and that of the majority class."""
    train, test = map(_labeled, (evaluated.train_codes, evaluated.test_codes))
    majority = float(np.bincount(test.labels).max() / len(test.labels))
    return [
        MetricResult(group, "codes of this model", accuracy(train, test), is_model=True, higher_is_better=True),
        MetricResult(group, "majority class", majority, higher_is_better=True),
    ]


def _labeled(batch: Batch) -> LabeledCodes:
    return LabeledCodes(batch.x.double().cpu().numpy(), batch.label.cpu().numpy())


def _accuracy(classifier: LogisticRegression | LinearSVC, train: LabeledCodes, test: LabeledCodes) -> float:
    return float(make_pipeline(StandardScaler(), classifier).fit(*train).score(*test))
