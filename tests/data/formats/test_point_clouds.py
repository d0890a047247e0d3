"""Point clouds from folders and arrays."""

import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.data.point_clouds import to_unit_sphere
from tests.data.published_formats import off, ply, write_files

RANDOM = np.random.default_rng(0)
POINT_CLOUDS = RANDOM.normal(size=(8, 30, 3)).astype(np.float32)


def cloud(i):
    return to_unit_sphere(POINT_CLOUDS[i])


def test_folder_may_mix_meshes_and_clouds(tmp_path):
    write_files(
        tmp_path,
        {"a/1.off": off(), "a/view.png": b"of it", "a/2.ply": ply("binary_little_endian"), "b/1.ply": ply("ascii")},
    )
    np.save(tmp_path / "b" / "2.npy", POINT_CLOUDS[0])
    data = load(tmp_path)
    assert data.kind == "point clouds"
    assert (data.classes, data.shape) == (("a", "b"), (30, 3))  # the number of points of the smallest cloud
    x = torch.cat([data.train.x, data.test.x])
    torch.testing.assert_close(x.norm(dim=2).amax(1), torch.ones(4))
    assert any(np.allclose(np.sort(each, axis=0), np.sort(cloud(0), axis=0), atol=1e-6) for each in x.numpy())


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((5, 3)), "must not be all equal"),
        (np.full((5, 3), np.inf), "must be finite"),
        (np.zeros((0, 3)), r"must be \(points, 3\) of floats; got float64 \(0, 3\)"),
        (np.zeros((5, 2)), r"must be \(points, 3\) of floats; got float64 \(5, 2\)"),
    ],
)
def test_malformed_cloud_is_named(tmp_path, points, message):
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "1.npy", points)
    np.save(tmp_path / "a" / "2.npy", POINT_CLOUDS[0])
    with pytest.raises(ValueError, match=rf"a/1.npy: .*{message}"):
        load(tmp_path)


def test_array_is_split_deterministically(tmp_path):
    np.save(tmp_path / "mine.npy", POINT_CLOUDS)
    data, other = load(tmp_path / "mine.npy"), load(tmp_path / "mine.npy")
    assert (data.name, len(data.train), len(data.test), data.shape) == ("mine", 6, 2, (30, 3))
    assert torch.equal(data.test.x, other.test.x)
    actual = {x.numpy().tobytes() for x in (*data.train.x, *data.test.x)}
    assert actual == {cloud(i).tobytes() for i in range(8)}
    assert data.train.labels.unique().tolist() == [-1]


def test_npz_file_may_have_labels_and_a_split(tmp_path):
    is_train = np.arange(8) % 2 == 0
    fields = {"label": np.arange(8), "is_train": is_train, "classes": np.array(list("abcdefgh"))}
    np.savez(tmp_path / "mine.npz", points=POINT_CLOUDS, **fields)
    data = load(tmp_path / "mine.npz")
    assert (data.classes[1], sorted(data.test.labels.tolist())) == ("b", [1, 3, 5, 7])
    for x, label in zip(data.test.x, data.test.labels, strict=True):
        np.testing.assert_array_equal(x.numpy(), cloud(int(label)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"label": np.arange(7)}, r"label \(n,\); got \(8, 30, 3\) and \(7,\)"),
        ({"points": POINT_CLOUDS[..., :2]}, r"points must be \(n, points, 3\)"),
        ({"points": np.float32(3)}, r"points must be \(n, points, 3\)"),
        ({"points": POINT_CLOUDS[:1]}, "there must be at least two examples"),
        ({"points": POINT_CLOUDS * np.nan}, "must be finite"),
        ({"is_train": np.ones(8, bool)}, "is_train must be a mask of 8 clouds"),
        ({"is_train": np.zeros(3, bool)}, "is_train must be a mask of 8 clouds"),
    ],
)
def test_other_arrays_are_named(tmp_path, fields, message):
    np.savez(tmp_path / "mine.npz", **{"points": POINT_CLOUDS} | fields)
    with pytest.raises(ValueError, match=rf"mine\.npz: .*{message}"):
        load(tmp_path / "mine.npz")
