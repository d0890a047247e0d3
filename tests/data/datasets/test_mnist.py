"""MNIST and Fashion-MNIST from IDX files."""

import gzip

import numpy as np
import pytest

from fastlatent.data import load
from tests.data.idx_files import idx

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


@pytest.mark.parametrize("subfolder", [".", "mnist"])
def test_files_are_found_in_the_folder_and_its_subfolder(tmp_path, subfolder):
    folder = tmp_path / subfolder
    folder.mkdir(exist_ok=True)
    for part, n in (("train", 3), ("t10k", 2)):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[:n]), mtime=0))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(n, dtype=np.uint8)))
    data = load("mnist", tmp_path)
    assert data.shape == (1, 4, 5)
    assert (len(data.train), len(data.test)) == (3, 2)
    np.testing.assert_allclose(data.train[:].x[:, 0].numpy(), IMAGES / np.float32(255))


def test_mnist_has_its_published_size(mnist_dir):
    data = load("mnist", mnist_dir)
    assert data.shape == (1, 28, 28)
    assert (len(data.train), len(data.test)) == (60_000, 10_000)
    for split in (data.train, data.test):
        assert split.labels.unique().tolist() == list(range(10))
        assert (split[:100].x.min(), split[:100].x.max()) == (0, 1)


def test_missing_file_is_named_with_the_folders_searched(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTLATENT_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no train-images-idx3-ubyte\.gz") as error:
        load("fashion-mnist")
    assert f"{tmp_path / 'fashion-mnist'} or {tmp_path}" in str(error.value)
