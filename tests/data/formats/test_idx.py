import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastlatent.data import load, read_idx
from tests.data.idx_files import idx

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a", bytes)])
def test_reads_what_was_written(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(idx(IMAGES)))
    np.testing.assert_array_equal(read_idx(tmp_path / name, 3), IMAGES)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a", b"", "header needs 16 bytes; got 0"),
        ("a", b"\0\0\x0d\x03" + idx(IMAGES)[4:], "first four bytes must be 00000803"),
        ("a", idx(IMAGES)[:-1], "need 60 bytes of values; got 59"),
        ("a", idx(IMAGES) + b"\0", "need 60 bytes of values; got more"),
        ("a", struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "must hold between 1 and"),
        ("a", struct.pack(">4B3I", 0, 0, 8, 3, 0, 28, 28), "must hold between 1 and"),
        ("a.gz", idx(IMAGES), "not a whole IDX file: Not a gzipped file"),
        ("a.gz", gzip.compress(idx(IMAGES), mtime=0)[:-12], "not a whole IDX file"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_idx(tmp_path / name, 3)
    assert str(tmp_path / name) in str(error.value)


@given(st.binary(max_size=64))
def test_any_bytes_give_an_array_or_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(b"\0\0\x08\x01" + content)
    try:
        values = read_idx(path, 1)
    except ValueError:
        return
    assert values.tobytes() == content[4:]


@pytest.mark.parametrize("place", [".", "mnist"])
def test_mnist_is_found_in_the_folder_or_its_subfolder(tmp_path, place):
    folder = tmp_path / place
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


def test_a_missing_file_is_named_with_the_places_searched(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTLATENT_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no train-images-idx3-ubyte\.gz") as error:
        load("fashion-mnist")
    assert f"{tmp_path / 'fashion-mnist'} or {tmp_path}" in str(error.value)
