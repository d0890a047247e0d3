import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_wine

from fastlatent.data import load
from fastlatent.data.tables import table

TRAIN = np.array([[1.0, 5.0, 2.0], [3.0, 9.0, 2.0], [5.0, 5.0, 2.0]])
TEST = np.array([[7.0, 7.0, 4.0]])
LABELS = np.array([0, 1, 0]), np.array([1])


def small(categorical=("b",)):
    return table("small", TRAIN, TEST, LABELS, ("a", "b", "c"), categorical, epochs=1)


def test_numeric_columns_are_standardized_by_the_training_rows_alone():
    data = small()
    std = np.std([1, 3, 5])
    np.testing.assert_allclose(data.train.x[:, 0], np.array([-2, 0, 2]) / std, rtol=1e-6)
    assert data.test.x[0, 0].item() == pytest.approx((7 - 3) / std)
    assert (data.columns[0].mean, data.columns[0].std) == (3, std)


def test_categories_are_numbered_in_order():
    data = small()
    assert data.columns[1].categories == (5, 7, 9)
    assert data.train.x[:, 1].tolist() == [0, 2, 0]
    assert data.test.x[0, 1] == 1
    assert data.shape == (0, 3, 0)


def test_a_constant_column_is_moved_to_zero():
    data = small()
    assert data.train.x[:, 2].tolist() == [0, 0, 0]
    assert data.test.x[0, 2] == 2


def test_categorical_columns_must_exist():
    with pytest.raises(ValueError, match="categorical must name columns among a, b, c; got d"):
        small(("d",))


@pytest.mark.parametrize("name", ["wine", "breast-cancer", "diabetes"])
def test_training_rows_have_mean_zero_and_variance_one(name):
    data = load(name)
    numeric = [not column.categories for column in data.columns]
    x = data.train[:].x[:, numeric].double()
    torch.testing.assert_close(x.mean(0), torch.zeros_like(x[0]), rtol=0, atol=1e-6)
    torch.testing.assert_close(x.var(0, correction=0), torch.ones_like(x[0]), rtol=1e-5, atol=0)


def test_wine_can_be_read_back_from_its_columns():
    data = load("wine")
    rows = torch.cat([data.train.x, data.test.x])
    raw = rows.double().numpy() * [c.std for c in data.columns] + [c.mean for c in data.columns]
    original = load_wine().data
    np.testing.assert_allclose(raw[np.lexsort(raw.T)], original[np.lexsort(original.T)], rtol=1e-4, atol=1e-4)


def test_the_sex_of_the_diabetes_patients_is_a_category():
    data = load("diabetes")
    assert [column.name for column in data.columns if column.categories] == ["sex"]
    first = int((torch.cat([data.train.x, data.test.x])[:, 1] == 0).sum())
    assert first == (load_diabetes(scaled=False).data[:, 1] == 1).sum()


def letters(folder, n, header):
    random = np.random.default_rng(0)
    values = random.integers(16, size=(n, 16))
    lines = [f"{'ABC'[i % 3]},{','.join(map(str, row))}" for i, row in enumerate(values)]
    (folder / "letter-recognition.data").write_text(
        "\n".join(["Letter," + ",".join(map(str, range(1, 17)))][:header] + lines)
    )
    return values


@pytest.mark.parametrize("header", [0, 1])
def test_letters_are_categories_and_the_first_16000_for_training(tmp_path, header):
    values = letters(tmp_path, 16_005, header)
    data = load("letter", tmp_path)
    assert (len(data.train), len(data.test), data.shape) == (16_000, 5, (16,) * 16)
    assert torch.equal(data.test.x, torch.from_numpy(values[16_000:]).float())
    assert data.test.labels.tolist() == [i % 3 for i in range(16_000, 16_005)]


@pytest.mark.parametrize("content", [b"A,1,x\n", b"?,1,2\n", b"A,1\nB,1,2\n", b"", b"\xff\xfe"])
def test_a_line_that_is_something_else_is_refused(tmp_path, content):
    (tmp_path / "letter-recognition.data").write_bytes(content)
    with pytest.raises(ValueError, match=r"letter-recognition\.data: not a whole file of a letter and 16 integers"):
        load("letter", tmp_path)
