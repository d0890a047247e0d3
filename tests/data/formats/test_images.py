"""Images from folders and .npz files."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from fastlatent.data import load

CLASSES = ("cat", "dog")
RED = np.full((6, 6, 3), (200, 0, 0), np.uint8)
NOISE = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
GRAY = np.arange(36, dtype=np.uint8).reshape(6, 6)


def write_image(path, values=RED, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)


def rows(split):
    """The red values at the images' corners, which identify the images."""
    return sorted(split.x[:, 0, 0, 0].tolist())


@pytest.mark.parametrize("layout", ["{part}/{name}/{i}.png", "{name}/{part}/{i}.png"])
def test_folders_keep_their_split(tmp_path, layout):
    for i in range(10):
        name = layout.format(part="test" if i >= 7 else "train", name=CLASSES[i % 2], i=i)
        write_image(tmp_path / name, np.full((4, 4, 3), 10 * i, np.uint8))
    data = load(tmp_path)
    assert (data.name, data.classes, data.shape) == (tmp_path.name, CLASSES, (3, 4, 4))
    assert rows(data.train) == [0, 10, 20, 30, 40, 50, 60]
    assert rows(data.test) == [70, 80, 90]
    assert torch.equal(data.train.labels, data.train.x[:, 0, 0, 0].long() // 10 % 2)
    assert data.train.x.dtype == torch.uint8


def test_folders_without_a_split_are_split_deterministically(tmp_path):
    for i in range(12):
        write_image(tmp_path / CLASSES[i % 2] / f"{i:02}.png", np.full((4, 4, 3), i, np.uint8))
    one, other = load(tmp_path), load(tmp_path)
    assert rows(one.test) == rows(other.test)
    assert sorted(rows(one.train) + rows(one.test)) == list(range(12))
    assert len(one.test) == 3


def test_images_are_gray_if_all_files_are(tmp_path):
    write_image(tmp_path / "a" / "1.png", GRAY)
    write_image(tmp_path / "a" / "2.pgm", GRAY)
    data = load(tmp_path)
    assert data.shape == (1, 6, 6)
    np.testing.assert_array_equal(data.test.x[0, 0].numpy(), GRAY)
    write_image(tmp_path / "a" / "3.png")
    assert load(tmp_path).shape == (3, 6, 6)


@pytest.mark.parametrize("size", [1, 3, 8])
def test_images_are_resized_to_one_size(tmp_path, size):
    write_image(tmp_path / "a" / "1.png")
    write_image(tmp_path / "a" / "2.bmp", np.full((9, 30, 3), (200, 0, 0), np.uint8))
    data = load(tmp_path, image_size=size)
    assert data.shape == (3, size, size)
    assert rows(data.train) == rows(data.test) == [200]
    with pytest.raises(ValueError, match="have 2 different sizes; set one with --image-size"):
        load(tmp_path)


def test_images_are_cropped_to_their_center(tmp_path):
    long = np.zeros((4, 12, 3), np.uint8)
    long[:, 4:8] = 255
    write_image(tmp_path / "a" / "1.png", long)
    write_image(tmp_path / "a" / "2.png", long.transpose(1, 0, 2))
    data = load(tmp_path, image_size=4)
    assert data.train.x.min() == data.test.x.min() == 255


def test_downsampling_averages_also_for_named_data(tmp_path):
    board = (np.indices((8, 8)).sum(0) % 2 * 200).astype(np.uint8)
    write_image(tmp_path / "a" / "1.png", board)
    write_image(tmp_path / "a" / "2.png", board)
    inside = load(tmp_path, image_size=2).train.x.float()
    torch.testing.assert_close(
        inside, torch.full((1, 1, 2, 2), 100.0), rtol=0, atol=5
    )  # a triangle filter of odd width
    digits = load("digits", image_size=32)
    assert digits.shape == (1, 32, 32)
    assert digits.train.x.max() == 16
    with pytest.raises(ValueError, match="image_size must be an integer >= 1; got 0"):
        load("digits", image_size=0)
    with pytest.raises(ValueError, match="image_size is an option of images; got wine, which has rows"):
        load("wine", image_size=8)


def png(width, height, content=b""):
    """Return a PNG file with these sizes in its header."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")


def encoded(kind, values=RED):
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.png", b"", "cannot identify"),
        ("bad.png", b"junk", "cannot identify"),
        ("bad.png", encoded("png", NOISE)[:1500], "not a valid image"),
        ("bad.jpg", encoded("jpeg", NOISE)[:1500], "not a valid image"),
        ("bad.png", png(6, 6), "not a valid image"),
        ("bad.png", png(100_000, 100_000), "pixels"),
        ("bad.png", png(9000, 9000), "at most 67108864 pixels; got 9000×9000"),
        ("bad.png", png(0, 6), "not a valid image"),
        ("bad.png", encoded("png", np.zeros((4, 4), np.uint16)), "8 bits per channel; got mode I;16"),
        ("bad.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "cannot identify"),
    ],
)
def test_damaged_or_hostile_image_is_named(tmp_path, name, content, message):
    write_image(tmp_path / "a" / "1.png")
    write_image(tmp_path / "a" / "2.png")
    (tmp_path / "a" / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{tmp_path}/a/{name}: .*{message}"):
        load(tmp_path, image_size=6)


def test_folder_without_classes_raises(tmp_path):
    write_image(tmp_path / "1.png")
    with pytest.raises(ValueError, match=r"must have a folder for each class with files \.png"):
        load(tmp_path)


def test_half_a_split_raises(tmp_path):
    write_image(tmp_path / "a" / "train" / "1.png")
    with pytest.raises(ValueError, match=r"no files \.png, .* in the split 'test'"):
        load(tmp_path)


def test_hidden_files_are_ignored(tmp_path):
    for name in ("a/1.png", "a/2.png", "__MACOSX/3.png", ".trash/4.png"):
        write_image(tmp_path / name)
    (tmp_path / "a" / "._1.png").write_bytes(b"of a Mac")
    data = load(tmp_path)
    assert (data.classes, len(data.train) + len(data.test)) == (("a",), 2)


COLORED = np.random.default_rng(0).integers(256, size=(5, 4, 6, 3), dtype=np.uint8)


@pytest.mark.parametrize(("x", "shape"), [(COLORED, (3, 4, 6)), (COLORED[..., 0], (1, 4, 6))])
def test_npz_file_keeps_its_split(tmp_path, x, shape):
    np.savez(tmp_path / "mine.npz", x_train=x[:3], x_test=x[3:], y_train=np.array([[1], [0], [2]], np.uint8))
    data = load(tmp_path / "mine.npz")
    assert (data.name, data.shape, len(data.test)) == ("mine", shape, 2)
    assert data.train.labels.tolist() == [1, 0, 2]
    assert data.test.labels.tolist() == [-1, -1]
    np.testing.assert_array_equal(data.train.x[:, 0].numpy(), COLORED[:3, ..., 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": COLORED / 255}, r"images must be uint8 \(n, h, w\) or \(n, h, w, 1 or 3\); got float64"),
        ({"x_train": COLORED[..., :2]}, r"got uint8 \(5, 4, 6, 2\)"),
        ({"x_test": COLORED[:, :3]}, r"x_train has images \(3, 4, 6\), x_test \(3, 3, 6\)"),
        ({"y_train": np.zeros(4, int)}, r"labels must be integers, one for each of 5 images; got int64 \(4,\)"),
        ({"y_train": np.zeros(5)}, "labels must be integers"),
    ],
)
def test_other_arrays_are_named(tmp_path, change, message):
    np.savez(tmp_path / "mine.npz", **{"x_train": COLORED, "x_test": COLORED} | change)
    with pytest.raises(ValueError, match=rf"mine\.npz: .*{message}"):
        load(tmp_path / "mine.npz")
