"""CIFAR-10 from its published files and from .npz files."""

import gzip
import os
import pickle

import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.data.datasets import cifar10
from tests.data.published_formats import cifar_batch, tar_gz, write_files

NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


@pytest.fixture
def batches():
    """Pixels and labels of each batch."""
    random = np.random.default_rng(0)
    return {name: (random.integers(256, size=(4, 3072), dtype=np.uint8), [3, 1, 4, i]) for i, name in enumerate(NAMES)}


def packed(batches, **other):
    files = {name: cifar_batch(*batch) for name, batch in batches.items()} | other
    return {f"cifar-10-batches-py/{name}": content for name, content in files.items()}


def check(data, batches):
    assert (data.name, data.shape, data.classes[3], data.train.x.dtype) == ("cifar10", (3, 32, 32), "cat", torch.uint8)
    pixels = np.concatenate([batches[name][0] for name in NAMES[:5]]).reshape(-1, 3, 32, 32)
    np.testing.assert_array_equal(data.train.x.numpy(), pixels)
    assert data.train.labels.tolist() == [label for name in NAMES[:5] for label in batches[name][1]]
    assert data.test.labels.tolist() == [3, 1, 4, 5]


@pytest.mark.parametrize("subfolder", [".", "cifar10"])
def test_archive_is_read(tmp_path, batches, subfolder):
    folder = tmp_path / subfolder
    folder.mkdir(exist_ok=True)
    (folder / "cifar-10-python.tar.gz").write_bytes(tar_gz(packed(batches, **{"readme.html": b"hello"})))
    check(load("cifar10", tmp_path), batches)


def test_unpacked_folder_is_read(tmp_path, batches):
    write_files(tmp_path, packed(batches))
    check(load("cifar10", tmp_path), batches)


class ExecutesCode:
    def __reduce__(self):
        return os.system, ("touch ran",)


def test_batch_with_code_is_refused_and_named(tmp_path, batches, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, packed(batches, test_batch=pickle.dumps({b"data": ExecutesCode()}, 2)))
    with pytest.raises(ValueError, match=r"cifar-10-batches-py/test_batch: .*only arrays are read"):
        load("cifar10", tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (cifar_batch(np.zeros((2, 3071), np.uint8), [0, 1]), r"data must be an array \(n, 3072\) of uint8"),
        (cifar_batch(np.zeros((2, 3072), np.float32), [0, 1]), r"data must be an array \(n, 3072\) of uint8"),
        (cifar_batch(np.zeros((2, 3072), np.uint8), [0]), "labels must be a list of 2 numbers"),
        (cifar_batch(np.zeros((2, 3072), np.uint8), [0, 10]), "labels must be integers from 0 to 9"),
        (cifar_batch(np.zeros((2, 3072), np.uint8), [0, 1])[:-1], "not a pickled dictionary"),
    ],
)
def test_malformed_batch_is_named(tmp_path, batches, batch, message):
    write_files(tmp_path, packed(batches, data_batch_2=batch))
    with pytest.raises(ValueError, match=rf"data_batch_2: not a valid batch of CIFAR-10: .*{message}"):
        load("cifar10", tmp_path)


def test_missing_batch_is_named(tmp_path, batches):
    del batches["data_batch_4"]
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(tar_gz(packed(batches)))
    with pytest.raises(ValueError, match=r"cifar-10-python.tar.gz/data_batch_4: .*it is missing"):
        load("cifar10", tmp_path)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"junk" + data, lambda data: b""])
def test_damaged_archive_is_named(tmp_path, batches, damage):
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(damage(tar_gz(packed(batches))))
    with pytest.raises(ValueError, match=str(path)):
        load("cifar10", tmp_path)


def test_flipped_bit_fails_the_crc(tmp_path, batches):
    archive = gzip.decompress(tar_gz(packed(batches)))
    uncompressed = bytearray(gzip.compress(archive, compresslevel=0))
    uncompressed[uncompressed.index(batches["test_batch"][0].tobytes()[:100])] ^= 1
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(uncompressed)
    with pytest.raises(ValueError, match="CRC check failed"):
        load("cifar10", tmp_path)


def test_archive_beyond_the_size_limit_raises(tmp_path, batches, monkeypatch):
    monkeypatch.setattr(cifar10, "MAX_ARCHIVE", 10**5)
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(tar_gz({"zeros": bytes(10**6), **packed(batches)}))
    with pytest.raises(ValueError, match="it expands to more than 100000 bytes"):
        load("cifar10", tmp_path)


def test_archive_member_with_a_false_size_raises(tmp_path, batches):
    archive = bytearray(gzip.decompress(tar_gz(packed(batches))))
    archive[124:136] = b"77777777777\0"  # 8 GiB
    archive[148:156] = b"%06o\0 " % (sum(archive[:148]) + 8 * 32 + sum(archive[156:512]))
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(gzip.compress(archive))
    with pytest.raises(ValueError, match=str(path)):
        load("cifar10", tmp_path)


def test_npz_file_keeps_its_split(tmp_path):
    x = np.random.default_rng(0).integers(256, size=(3, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "cifar10.npz", x_train=x[:2], x_test=x[2:], y_train=np.array([1, 0]), y_test=np.array([1]))
    data = load("cifar10", tmp_path)
    np.testing.assert_array_equal(data.train.x.permute(0, 2, 3, 1).numpy(), x[:2])
    assert data.train.labels.tolist() == [1, 0]


def test_real_files_are_read(data_dir):
    if not (data_dir / "cifar10").is_dir():
        pytest.skip(f"no CIFAR-10 in {data_dir}")
    data = load("cifar10", data_dir)
    assert data.shape == (3, 32, 32)
    assert data.classes == cifar10.CLASSES
    assert data.train.labels.bincount().unique().numel() == 1  # balanced
    planes = data.train[(data.train.labels == 0).nonzero()[:, 0]].x.mean((0, 2, 3))
    assert planes.argmax() == 2  # blue: airplanes are in the sky
