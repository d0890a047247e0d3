import math
from dataclasses import replace

import pytest
import torch

from fastlatent.data import Split, load


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_digits_are_split_without_overlap(digits):
    seen = {image.numpy().tobytes() for image in digits.train.x}
    assert len(digits.train) + len(digits.test) == 1797
    assert not any(image.numpy().tobytes() in seen for image in digits.test.x)


def test_digits_span_zero_to_one(digits):
    batch = digits.train[:]
    assert (batch.x.min(), batch.x.max()) == (0, 1)
    assert batch.label.unique().tolist() == list(range(10))


def test_the_split_of_the_digits_is_always_the_same(digits):
    assert torch.equal(load("digits").test.x, digits.test.x)


def numbered(n):
    return Split(torch.arange(n, dtype=torch.uint8)[:, None], torch.arange(n))


@pytest.mark.parametrize("size", [1, 3, 10])
def test_an_epoch_shows_no_image_twice(size):
    batches = list(numbered(10).shuffled(size, torch.Generator().manual_seed(0)))
    labels = torch.cat([batch.label for batch in batches])
    assert all(len(batch.x) == size for batch in batches)
    assert len(labels) == len(labels.unique()) == 10 // size * size


@pytest.mark.parametrize(("n", "rows"), [(1, [0]), (4, [0, 2, 5, 7]), (10, [*range(10)]), (11, [*range(10)])])
def test_a_part_is_spread_over_the_whole(n, rows):
    assert numbered(10).spread(n).label.tolist() == rows


@pytest.mark.parametrize(("per_class", "kept"), [(0, [-1] * 5), (1, [2, 0, -1, -1, -1]), (9, [2, 0, 2, 2, 0])])
def test_labels_are_hidden_but_for_the_first_of_each_class(per_class, kept):
    split = Split(torch.zeros(5, 1, dtype=torch.uint8), torch.tensor([2, 0, 2, 2, 0]))
    assert split.keep_labels(per_class)[:].label.tolist() == kept
    assert split.labels.tolist() == [2, 0, 2, 2, 0]


def test_what_is_known_is_what_has_a_label():
    split = numbered(5)
    assert split.known() is split
    assert replace(split, labels=torch.tensor([-1, 7, -1, 8, -1])).known()[:].label.tolist() == [7, 8]


def test_draws_are_uniform_with_repetition():
    drawn = torch.bincount(numbered(4).random_rows(4000))
    assert len(drawn) == 4
    assert (drawn - 1000).abs().max() < 5 * math.sqrt(4000 * 3 / 16)


def test_a_label_that_the_model_has_no_class_for_is_refused():
    numbered(4).check_labels(4)
    with pytest.raises(ValueError, match="labels must be below 3, the model's classes; got 3"):
        numbered(4).check_labels(3)


def test_the_generator_decides_the_order():
    def order(seed):
        return [int(b.label) for b in numbered(10).shuffled(1, torch.Generator().manual_seed(seed))]

    assert order(0) == order(0) != order(1)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match="batch_size must be at most 10, the number of examples; got 11"):
        next(numbered(10).shuffled(11, torch.Generator()))


def test_a_negative_number_of_labels_is_refused():
    with pytest.raises(ValueError, match="labels_per_class must be an integer >= 0; got -1"):
        numbered(3).keep_labels(-1)


def test_images_and_labels_must_be_as_many():
    with pytest.raises(ValueError, match="got 2 examples but 1 labels"):
        Split(torch.zeros(2, 1, dtype=torch.uint8), torch.zeros(1, dtype=torch.long))


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"data must be one of 'digits', 'mnist', .*; got 'cats'"):
        load("cats")
