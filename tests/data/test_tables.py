"""Tables: standardization, category codes, and validation of arguments."""

import numpy as np
import pytest

from fastlatent.data.tables import build_table

TRAIN = np.array([[1.0, 5.0, 2.0], [3.0, 9.0, 2.0], [5.0, 5.0, 2.0]])
TEST = np.array([[7.0, 7.0, 4.0]])
LABELS = np.array([0, 1, 0]), np.array([1])


def small(categorical=("b",)):
    return build_table("small", TRAIN, TEST, LABELS, ("a", "b", "c"), categorical, epochs=1)


def test_numeric_columns_are_standardized_by_training_rows():
    data = small()
    std = np.std([1, 3, 5])
    np.testing.assert_allclose(data.train.x[:, 0], np.array([-2, 0, 2]) / std, rtol=1e-6)
    assert data.test.x[0, 0].item() == pytest.approx((7 - 3) / std)
    assert (data.columns[0].mean, data.columns[0].std) == (3, std)


def test_category_codes_are_sorted():
    data = small()
    assert data.columns[1].categories == (5, 7, 9)
    assert data.train.x[:, 1].tolist() == [0, 2, 0]
    assert data.test.x[0, 1] == 1
    assert data.shape == (0, 3, 0)


def test_constant_column_is_centered():
    data = small()
    assert data.train.x[:, 2].tolist() == [0, 0, 0]
    assert data.test.x[0, 2] == 2


def test_categorical_columns_must_exist():
    with pytest.raises(ValueError, match="categorical must name columns among a, b, c; got d"):
        small(("d",))
