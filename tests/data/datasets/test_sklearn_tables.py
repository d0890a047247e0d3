"""scikit-learn's tables: standardization and inverse encoding."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_wine

from fastlatent.data import load


@pytest.mark.parametrize("name", ["wine", "breast-cancer", "diabetes"])
def test_training_rows_have_mean_zero_and_variance_one(name):
    data = load(name)
    numeric = [not column.categories for column in data.columns]
    x = data.train[:].x[:, numeric].double()
    torch.testing.assert_close(x.mean(0), torch.zeros_like(x[0]), rtol=0, atol=1e-6)
    torch.testing.assert_close(x.var(0, correction=0), torch.ones_like(x[0]), rtol=1e-5, atol=0)


def test_columns_decode_to_the_original_rows():
    data = load("wine")
    rows = torch.cat([data.train.x, data.test.x])
    raw = rows.double().numpy() * [c.std for c in data.columns] + [c.mean for c in data.columns]
    original = load_wine().data
    np.testing.assert_allclose(raw[np.lexsort(raw.T)], original[np.lexsort(original.T)], rtol=1e-4, atol=1e-4)


def test_diabetes_has_one_categorical_column():
    data = load("diabetes")
    assert [column.name for column in data.columns if column.categories] == ["sex"]
    first = int((torch.cat([data.train.x, data.test.x])[:, 1] == 0).sum())
    assert first == (load_diabetes(scaled=False).data[:, 1] == 1).sum()
