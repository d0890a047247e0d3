"""SVHN from files as published."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

from fastlatent.data import load

X = np.random.default_rng(0).integers(256, size=(32, 32, 3, 5), dtype=np.uint8)
Y = np.array([[10], [1], [9], [10], [5]], np.uint8)


def write(folder, **train):
    savemat(folder / "train_32x32.mat", {"X": X, "y": Y, **train}, do_compression=True)
    savemat(folder / "test_32x32.mat", {"X": X[..., :2], "y": Y[:2]})


@pytest.mark.parametrize("place", [".", "svhn"])
def test_it_is_read_as_published(tmp_path, place):
    (tmp_path / place).mkdir(exist_ok=True)
    write(tmp_path / place)
    data = load("svhn", tmp_path)
    assert (data.shape, len(data.train), len(data.test)) == ((3, 32, 32), 5, 2)
    assert data.train.x.dtype == torch.uint8
    assert data.train.labels.tolist() == [0, 1, 9, 0, 5]  # 10 stands for the digit 0
    for i in range(5):
        np.testing.assert_array_equal(data.train.x[i].permute(1, 2, 0).numpy(), X[..., i])


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"X": X.astype(float)}, r"X must be uint8 \(32, 32, 3, n\)"),
        ({"X": X[:, :31]}, r"X must be uint8 \(32, 32, 3, n\)"),
        ({"y": Y[:4]}, r"y \(n, 1\)"),
        ({"y": Y - 1}, "y must be from 1 to 10; got 0 to 9"),
        ({"X": np.array([{}], object)}, "X must be uint8"),
    ],
)
def test_other_contents_are_refused_by_name(tmp_path, train, message):
    write(tmp_path, **train)
    with pytest.raises(ValueError, match=rf"{tmp_path}/train_32x32.mat: .*{message}"):
        load("svhn", tmp_path)


@pytest.mark.parametrize("keep", [0, 100, 200, 1000, 10_000])
def test_a_file_that_is_cut_off_is_refused_by_name(tmp_path, keep):
    write(tmp_path)
    path = tmp_path / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=str(path)):
        load("svhn", tmp_path)


def test_absurd_sizes_are_refused_before_anything_is_read(tmp_path):
    write(tmp_path)
    path = tmp_path / "test_32x32.mat"
    path.write_bytes(path.read_bytes().replace((2).to_bytes(4, "little"), (2**31 - 1).to_bytes(4, "little")))
    with pytest.raises(ValueError, match=str(path)):
        load("svhn", tmp_path)
