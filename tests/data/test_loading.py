"""Names, paths and options of `load`; checksums of real files."""

import gzip
import hashlib

import numpy as np
import pytest

from fastlatent.data import load

# of the uncompressed files: the gzip headers differ between copies
MD5 = {
    "mnist/train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "mnist/train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "mnist/t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "mnist/t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    "fashion-mnist/train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "fashion-mnist/train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "fashion-mnist/t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "fashion-mnist/t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


@pytest.mark.parametrize("name", MD5)
def test_real_files_have_the_published_checksums(data_dir, name):
    path = data_dir / f"{name}.gz"
    if not path.exists():
        pytest.skip(f"no {path}")
    with gzip.open(path) as file:
        assert hashlib.md5(file.read()).hexdigest() == MD5[name]


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("cats", {}, r"data must be one of 'digits', .*, or the path of a file or folder; got 'cats'"),
        ("digits", {"label": "class"}, r"label is an option of files .csv, .*; got digits"),
        ("letter", {"label": "class"}, "label is an option of files"),
        ("wine", {"image_size": 32}, "image_size is an option of images; got wine, which has rows"),
    ],
)
def test_unknown_name_or_option_raises(data, options, message):
    with pytest.raises(ValueError, match=message):
        load(data, **options)


def test_names_take_precedence_over_paths(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load("digits").kind == "images"
    with pytest.raises(ValueError, match="must have a folder for each class"):
        load("./digits")


def test_unknown_suffix_raises(tmp_path):
    (tmp_path / "mine.pdf").touch()
    with pytest.raises(ValueError, match=r"must be a folder or a file \.csv, .*, \.h5ad, \.npy, \.npz; got .*mine.pdf"):
        load(tmp_path / "mine.pdf")


def test_npz_file_with_unknown_fields_raises(tmp_path):
    np.savez(tmp_path / "mine.npz", weights=np.ones(3))
    with pytest.raises(ValueError, match=r"must have x_train and x_test \(images\), points .*; has weights"):
        load(tmp_path / "mine.npz")


def test_letter_file_loads_as_a_table(tmp_path):
    (tmp_path / "letter-recognition.data").write_text("T,2,8\nI,5,12\nD,4,11\nT,1,9\n")
    data = load(tmp_path / "letter-recognition.data", label="first")
    assert (data.classes, data.shape) == (("D", "I", "T"), (0, 0))


@pytest.mark.parametrize(("name", "file"), [("modelnet10", "modelnet10_1024_f16.npz"), ("letter", "letter-recog")])
def test_missing_file_is_named(name, file, tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"{name}: no {file}.* in {tmp_path}.*--data-dir or FASTLATENT_DATA"):
        load(name, tmp_path)
