"""What labels can be read from frozen codes: by a single layer, a linear SVM, or clusters."""

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

SMALL = 1e-5  # added to singular values before codes are divided by them
ROUNDS = 1000  # of an iterative solver, at most


class Labeled(NamedTuple):
    """Codes (n, d) and their labels (n,), from 0."""

    codes: np.ndarray
    labels: np.ndarray


Accuracy: TypeAlias = Callable[[Labeled, Labeled], float]  # of training codes and test codes

SINGLE_LAYER = "Accuracy of a single-layer classifier on codes, test {}"
CLUSTERING = "Accuracy of k-means on whitened codes, {:,} random starts, test {}"
SVM = "Accuracy of linear support vector machines on codes, test {}"


def accuracies(subject: EvaluatedModel) -> list[MetricResult]:
    """Accuracies of a single layer and of clusters on codes."""
    kind, starts = subject.data.kind, subject.starts
    groups: dict[str, Accuracy] = {
        SINGLE_LAYER.format(kind): single_layer_accuracy,
        CLUSTERING.format(starts, kind): partial(clustering_accuracy, clusters=subject.classes, starts=starts),
    }
    return [number for group, accuracy in groups.items() for number in _of_codes(subject, group, accuracy)]


def svm(subject: EvaluatedModel) -> list[MetricResult]:
    """Accuracy of linear support vector machines on codes."""
    return _of_codes(subject, SVM.format(subject.data.kind), svm_accuracy)


def single_layer_accuracy(train: Labeled, test: Labeled) -> float:
    """Accuracy on test codes of a single-layer classifier, softmax(W·z + b), trained on training codes.

    Codes are standardized by the training codes; W and b minimize the summed cross entropy + ½‖W‖², by L-BFGS. In the
    source the layer is trained beside the autoencoder, by Adam, and without the second term.

    Source: Berthelot et al. 2018, "Understanding and improving interpolation in autoencoders via an adversarial
    regularizer", section 4.
    """
    return _accuracy(LogisticRegression(max_iter=ROUNDS), train, test)


def svm_accuracy(train: Labeled, test: Labeled) -> float:
    """Accuracy on test codes of linear support vector machines, one against the rest, trained on training codes.

    Codes are standardized by the training codes; C = 1.

    Source: Achlioptas et al. 2018, "Learning representations and generative models for 3D point clouds", section 5.
    """
    return _accuracy(LinearSVC(max_iter=ROUNDS, dual="auto", random_state=0), train, test)


def clustering_accuracy(train: Labeled, test: Labeled, *, clusters: int, starts: int = 1000) -> float:
    """Accuracy on test codes of clusters found in training codes, each cluster being named as suits it best.

    Codes are whitened (`whiten`); k-means runs from so many random starts on training codes and keeps the best; the
    test codes' clusters are matched with labels (`matched_accuracy`). Training labels are not looked at.

    Args:
        train, test: codes and labels.
        clusters: how many, as many as there are classes.
        starts: random starts; 1,000 in the source.

    Raises:
        TypeError, ValueError: if clusters or starts is no integer ≥ 1, or there are fewer codes than clusters.

    Source: Berthelot et al. 2018, section 4, and the authors' code.
    """
    checks.count("starts", starts)
    if checks.count("clusters", clusters) > len(train.codes):
        raise ValueError(f"clusters must be at most {len(train.codes)}, the number of training codes; got {clusters}")
    fitted, shown = (z.astype(np.float32) for z in whiten(train.codes, test.codes))  # k-means at 2.6 times the speed
    means = KMeans(clusters, init="random", n_init=starts, max_iter=ROUNDS, random_state=0).fit(fitted)
    return matched_accuracy(means.predict(shown), test.labels)


def whiten(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes in the basis of the training codes' singular vectors: (z − mean)·V/(s + 1e−5), U·diag(s)·Vᵀ = train − mean.

    Args:
        train, test: codes (n, d) and (m, d).

    Returns:
        Both, whitened, (n, min(n, d)) and (m, min(n, d)).
    """
    mean = train.mean(0)
    _, s, vt = np.linalg.svd(train - mean, full_matrices=False)
    fitted, shown = ((z - mean) @ vt.T / (s + SMALL) for z in (train, test))
    return fitted, shown


def matched_accuracy(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Share of examples whose cluster got their label, under the best one-to-one naming of clusters by labels.

    Args:
        clusters, labels: (n,) integers from 0.

    Raises:
        ValueError: if they differ in length or there are none.

    Source: Kuhn 1955, "The Hungarian method for the assignment problem".
    """
    if len(clusters) != len(labels) or len(labels) == 0:
        raise ValueError(f"clusters and labels must be as many, at least 1; got {len(clusters)} and {len(labels)}")
    table = np.zeros((clusters.max() + 1, labels.max() + 1), int)
    np.add.at(table, (clusters, labels), 1)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / len(labels))


def _of_codes(subject: EvaluatedModel, group: str, accuracy: Accuracy) -> list[MetricResult]:
    """The accuracy on codes, and that of always naming the most common class."""
    train, test = map(_labeled, (subject.train_codes, subject.test_codes))
    common = float(np.bincount(test.labels).max() / len(test.labels))
    return [
        MetricResult(group, "codes of this model", accuracy(train, test), ours=True, better="larger"),
        MetricResult(group, "the most common class, always", common, better="larger"),
    ]


def _labeled(batch: Batch) -> Labeled:
    return Labeled(batch.x.double().cpu().numpy(), batch.label.cpu().numpy())


def _accuracy(classifier: LogisticRegression | LinearSVC, train: Labeled, test: Labeled) -> float:
    return float(make_pipeline(StandardScaler(), classifier).fit(*train).score(*test))
