"""scikit-learn's digits: split, scale, and determinism."""

import pytest
import torch

from fastlatent.data import load


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_digits_splits_are_disjoint(digits):
    train_images = {image.numpy().tobytes() for image in digits.train.x}
    assert len(digits.train) + len(digits.test) == 1797
    assert not any(image.numpy().tobytes() in train_images for image in digits.test.x)


def test_digits_are_scaled_to_the_unit_interval(digits):
    batch = digits.train[:]
    assert (batch.x.min(), batch.x.max()) == (0, 1)
    assert batch.label.unique().tolist() == list(range(10))


def test_digits_split_is_deterministic(digits):
    assert torch.equal(load("digits").test.x, digits.test.x)
