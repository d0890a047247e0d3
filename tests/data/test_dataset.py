"""Splits: batches, order, labels, and validation of arguments."""

import math
from dataclasses import replace

import pytest
import torch

from fastlatent.data import Split, load


def arange_split(n):
    return Split(torch.arange(n, dtype=torch.uint8)[:, None], torch.arange(n))


@pytest.mark.parametrize("size", [1, 3, 10])
def test_epoch_has_each_example_at_most_once(size):
    batches = list(arange_split(10).shuffled(size, torch.Generator().manual_seed(0)))
    labels = torch.cat([batch.label for batch in batches])
    assert all(len(batch.x) == size for batch in batches)
    assert len(labels) == len(labels.unique()) == 10 // size * size


@pytest.mark.parametrize(("n", "rows"), [(1, [0]), (4, [0, 2, 5, 7]), (10, [*range(10)]), (11, [*range(10)])])
def test_evenly_spaced_examples(n, rows):
    assert arange_split(10).evenly_spaced(n).label.tolist() == rows


@pytest.mark.parametrize(("per_class", "expected"), [(0, [-1] * 5), (1, [2, 0, -1, -1, -1]), (9, [2, 0, 2, 2, 0])])
def test_keep_labels_keeps_the_first_of_each_class(per_class, expected):
    split = Split(torch.zeros(5, 1, dtype=torch.uint8), torch.tensor([2, 0, 2, 2, 0]))
    assert split.keep_labels(per_class)[:].label.tolist() == expected
    assert split.labels.tolist() == [2, 0, 2, 2, 0]


def test_labeled_selects_known_labels():
    split = arange_split(5)
    assert split.labeled() is split
    assert replace(split, labels=torch.tensor([-1, 7, -1, 8, -1])).labeled()[:].label.tolist() == [7, 8]


def test_random_rows_are_uniform_with_replacement():
    counts = torch.bincount(arange_split(4).random_rows(4000))
    assert len(counts) == 4
    assert (counts - 1000).abs().max() < 5 * math.sqrt(4000 * 3 / 16)


def test_labels_beyond_the_classes_raise():
    arange_split(4).check_labels(4)
    with pytest.raises(ValueError, match="labels must be below 3, the model's classes; got 3"):
        arange_split(4).check_labels(3)


def test_order_is_determined_by_the_generator():
    def order(seed):
        return [int(b.label) for b in arange_split(10).shuffled(1, torch.Generator().manual_seed(seed))]

    assert order(0) == order(0) != order(1)


def test_batch_size_beyond_the_examples_raises():
    with pytest.raises(ValueError, match="batch_size must be at most 10, the number of examples; got 11"):
        next(arange_split(10).shuffled(11, torch.Generator()))


def test_negative_labels_per_class_raises():
    with pytest.raises(ValueError, match="labels_per_class must be an integer >= 0; got -1"):
        arange_split(3).keep_labels(-1)


def test_different_numbers_of_examples_and_labels_raise():
    with pytest.raises(ValueError, match="got 2 examples but 1 labels"):
        Split(torch.zeros(2, 1, dtype=torch.uint8), torch.zeros(1, dtype=torch.long))


def test_unknown_name_raises():
    with pytest.raises(ValueError, match=r"data must be one of 'digits', 'mnist', .*; got 'cats'"):
        load("cats")
