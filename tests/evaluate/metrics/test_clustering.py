"""Error rates of clusters."""

import pytest
import torch

from fastlatent.evaluate.metrics.clustering import (
    classification_error,
    cluster_labels,
    cluster_to_label_error,
    every_fifth,
)

Q = torch.tensor([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.2, 0.7, 0.1], [0.1, 0.3, 0.6], [0.5, 0.2, 0.3]])
LABELS = torch.tensor([7, 4, 4, 7, 4])


def test_cluster_label_is_that_of_the_most_probable_example():
    assert cluster_labels(Q, LABELS).tolist() == [7, 4, 7]


def test_cluster_to_label_error_by_hand():
    validation = torch.tensor([True, False, True, True, False])
    assert cluster_to_label_error(Q, LABELS, validation) == 1  # both others are in cluster 0, labeled 7
    assert cluster_to_label_error(Q, torch.tensor([4, 4, 4, 7, 7]), validation) == 0.5


def test_cluster_without_examples_has_the_label_of_the_most_probable_one():
    assert cluster_labels(Q[:2], LABELS[:2]).tolist() == [7, 4, 7]


def test_permuted_perfect_clusters_have_error_zero():
    labels = torch.arange(50) % 3
    q = torch.nn.functional.one_hot(torch.tensor([2, 0, 1])[labels]).float()
    assert cluster_to_label_error(q, labels, every_fifth(50)) == 0
    assert classification_error(q, labels) == 1
    assert classification_error(q, torch.tensor([2, 0, 1])[labels]) == 0


def test_every_fifth_example_is_for_validation():
    assert every_fifth(11).nonzero().flatten().tolist() == [0, 5, 10]


def test_invalid_input_raises():
    with pytest.raises(ValueError, match=r"n >= 1; got \(5, 3\) and \(4,\)"):
        cluster_labels(Q, LABELS[:4])
    with pytest.raises(ValueError, match="all or none"):
        cluster_to_label_error(Q, LABELS, torch.ones(5, dtype=torch.bool))
