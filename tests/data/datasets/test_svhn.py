"""SVHN from its published files, and round trips of MATLAB files."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.io import savemat

from fastlatent.data import load
from fastlatent.data.formats import matlab

X = np.random.default_rng(0).integers(256, size=(32, 32, 3, 5), dtype=np.uint8)
Y = np.array([[10], [1], [9], [10], [5]], np.uint8)


def write(folder, **train):
    savemat(folder / "train_32x32.mat", {"X": X, "y": Y, **train}, do_compression=True)
    savemat(folder / "test_32x32.mat", {"X": X[..., :2], "y": Y[:2]})


@pytest.mark.parametrize("subfolder", [".", "svhn"])
def test_published_files_are_read(tmp_path, subfolder):
    (tmp_path / subfolder).mkdir(exist_ok=True)
    write(tmp_path / subfolder)
    data = load("svhn", tmp_path)
    assert (data.shape, len(data.train), len(data.test)) == ((3, 32, 32), 5, 2)
    assert data.train.x.dtype == torch.uint8
    assert data.train.labels.tolist() == [0, 1, 9, 0, 5]  # 10: the digit 0
    for i in range(5):
        np.testing.assert_array_equal(data.train.x[i].permute(1, 2, 0).numpy(), X[..., i])


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"X": X.astype(float)}, r"X must be uint8 \(32, 32, 3, n\)"),
        ({"X": X[:, :31]}, r"X must be uint8 \(32, 32, 3, n\)"),
        ({"y": Y[:4]}, r"y \(n, 1\)"),
        ({"y": Y - 1}, "y must be from 1 to 10; got 0 to 9"),
        ({"X": np.array([{}], object)}, "must have X and y; has y"),
        ({"y": Y.astype(str)}, "must have X and y; has X"),
    ],
)
def test_other_contents_are_named(tmp_path, train, message):
    write(tmp_path, **train)
    with pytest.raises(ValueError, match=rf"{tmp_path}/train_32x32.mat: .*{message}"):
        load("svhn", tmp_path)


@pytest.mark.parametrize("keep", [0, 100, 200, 1000, 10_000])
def test_truncated_file_is_named(tmp_path, keep):
    write(tmp_path)
    path = tmp_path / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=str(path)):
        load("svhn", tmp_path)


@pytest.mark.parametrize(
    ("offset", "number", "message"),
    [
        (132, 2**32 - 1, "ends within an element"),  # bytes of X
        (160, 2**31 - 1, "need .* bytes; the limit is"),  # its sides
        (160, 2**31, "sizes must be integers >= 0"),
        (184, 169, "must have X and y; has y"),  # the type of its values: crashes SciPy's reader
        (184, 7, r"X must be uint8|reshape"),
        (188, 2**32 - 1, "ends within an element"),  # their bytes
        (126, 0, "not a MATLAB file of level 5"),
    ],
)
def test_corrupt_sizes_and_types_are_named(tmp_path, offset, number, message):
    write(tmp_path)
    savemat(tmp_path / "train_32x32.mat", {"X": X, "y": Y})
    path = tmp_path / "train_32x32.mat"
    content = bytearray(path.read_bytes())
    content[offset : offset + 4] = number.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{path}: .*({message})"):
        load("svhn", tmp_path)


def test_decompression_bomb_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab, "MAX_BYTES", 10_000)
    write(tmp_path, X=np.zeros((32, 32, 3, 5), np.uint8))
    with pytest.raises(ValueError, match="expands to more than 10000 bytes"):
        load("svhn", tmp_path)


@given(
    st.dictionaries(
        st.from_regex("[a-z]{1,6}", fullmatch=True),
        arrays(st.sampled_from(["u1", "i2", "f4", "f8", "i8"]), array_shapes(min_dims=2, max_dims=4)),
        max_size=3,
    ),
    st.booleans(),
)
def test_round_trip_with_scipy(tmp_path_factory, variables, packed):
    path = tmp_path_factory.getbasetemp() / "any.mat"
    savemat(path, variables | {"words": "none", "cell": np.array([{}], object)}, do_compression=packed)
    content = matlab.read_mat(path)
    assert set(content) == set(variables)
    for name, values in variables.items():
        np.testing.assert_array_equal(content[name], values)
