"""Accuracy of classifiers and of k-means on codes."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from fastlatent.evaluate.metrics.probes import (
    LabeledCodes,
    clustering_accuracy,
    matched_accuracy,
    single_layer_accuracy,
    svm_accuracy,
    whiten,
)

CLASSIFIERS = (single_layer_accuracy, svm_accuracy)


@pytest.fixture
def blobs():
    """Three clusters in four dimensions, ten deviations apart."""
    random = np.random.default_rng(0)
    middles = 10 * np.eye(4)[:3]

    def draw(n):
        labels = random.integers(3, size=n)
        return LabeledCodes(middles[labels] + random.normal(size=(n, 4)), labels)

    return draw(300), draw(200)


@pytest.mark.parametrize("accuracy", [*CLASSIFIERS, lambda x, y: clustering_accuracy(x, y, clusters=3, starts=5)])
def test_separated_clusters_have_accuracy_one(blobs, accuracy):
    assert accuracy(*blobs) == 1


@pytest.mark.parametrize("accuracy", CLASSIFIERS)
def test_accuracy_on_independent_labels_is_at_chance(accuracy):
    random = np.random.default_rng(0)
    train, test = (LabeledCodes(random.normal(size=(n, 4)), random.integers(2, size=n)) for n in (400, 1000))
    assert abs(accuracy(train, test) - 0.5) < 0.06  # 4 standard deviations of 1,000 guesses


@pytest.mark.parametrize("accuracy", CLASSIFIERS)
def test_linear_classifiers_fail_on_xor(accuracy):
    corners = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]] * 50)
    codes = LabeledCodes(corners, (corners.prod(1) > 0).astype(int))
    assert accuracy(codes, codes) <= 3 / 4


def test_single_layer_accuracy_on_digits():
    digits = load_digits()
    train, test = (LabeledCodes(digits.data[part], digits.target[part]) for part in (slice(1000), slice(1000, None)))
    assert 0.88 < single_layer_accuracy(train, test) < 0.97


def test_permuted_clusters_have_matched_accuracy_one():
    labels = np.array([0, 0, 1, 1, 1, 2, 3, 3])
    assert matched_accuracy(np.array([2, 3, 0, 1])[labels], labels) == 1


def test_matched_accuracy_by_hand():
    clusters, labels = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 0, 1, 1])
    assert matched_accuracy(clusters, labels) == 3 / 6  # 0 as 0 is right twice, 1 or 2 as 1 once


def test_surplus_clusters_are_wrong():
    assert matched_accuracy(np.arange(4), np.array([0, 0, 1, 1])) == 2 / 4


def test_whitened_codes_are_left_singular_vectors():
    random = np.random.default_rng(0)
    codes = random.normal(size=(50, 3)) @ np.diag([100.0, 1.0, 0.01]) + 7
    whitened, first = whiten(codes, codes[:5])
    np.testing.assert_allclose(whitened.T @ whitened, np.eye(3), atol=1e-3)  # up to the 1e-5 added to 0.01·√50
    np.testing.assert_allclose(first, whitened[:5])


def test_constant_coordinate_stays_zero():
    codes = np.random.default_rng(0).normal(size=(50, 2)) * np.array([1.0, 0.0])
    whitened, _ = whiten(codes, codes)
    assert np.abs(whitened[:, 1]).max() < 1e-9


def test_invalid_input_raises(blobs):
    with pytest.raises(ValueError, match="clusters must be at most 300"):
        clustering_accuracy(*blobs, clusters=301)
    with pytest.raises(ValueError, match="starts must be an integer >= 1; got 0"):
        clustering_accuracy(*blobs, clusters=3, starts=0)
    with pytest.raises(ValueError, match="same length, at least 1; got 3 and 2"):
        matched_accuracy(np.zeros(3, int), np.zeros(2, int))
