"""Point clouds from files: ModelNet10 as published, folders, arrays."""

import zipfile

import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.data.formats.point_clouds import POINTS
from fastlatent.data.point_clouds import unit
from tests.data.published_formats import TETRAHEDRON, off, ply

CLASSES = ("bathtub", "night_stand")
RANDOM = np.random.default_rng(0)
POINT_CLOUDS = RANDOM.normal(size=(8, 30, 3)).astype(np.float32)


def published():
    """What ModelNet10.zip holds, with fewer and simpler shapes."""
    files = {"ModelNet10/.DS_Store": b"", "__MACOSX/ModelNet10/bathtub/train/._bathtub_1.off": b"", "README.txt": b""}
    for label, name in enumerate(CLASSES):
        for i, part in enumerate(["train", "train", "test"]):
            stretched = TETRAHEDRON * (1 + label, 1, 1)
            files[f"ModelNet10/{name}/{part}/{name}_{i}.off"] = off(stretched, start="OFF")
    return files


def zipped(folder, files):
    with zipfile.ZipFile(folder / "ModelNet10.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def unpacked(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize("write", [zipped, unpacked])
def test_modelnet10_is_read_as_published_and_its_points_are_kept(tmp_path, write):
    write(tmp_path, published())
    data = load("modelnet10", tmp_path)
    assert (data.classes, len(data.train), len(data.test), data.shape) == (CLASSES, 4, 2, (POINTS, 3))
    assert sorted(data.test.labels.tolist()) == [0, 1]
    assert (tmp_path / "modelnet10.npz").exists()
    again = load("modelnet10", tmp_path)
    assert torch.equal(again.train.x, data.train.x)
    assert again.classes == CLASSES
    lengths = np.ptp(data.train.x.numpy(), axis=1)
    assert ((lengths[:, 0] / lengths[:, 1] > 1.5) == data.train.labels.numpy()).all()


def test_a_damaged_shape_is_named(tmp_path):
    zipped(tmp_path, published() | {"ModelNet10/bathtub/train/bathtub_0.off": off()[:-20]})
    with pytest.raises(ValueError, match=r"bathtub/train/bathtub_0\.off: not a whole mesh or point cloud: the header"):
        load("modelnet10", tmp_path)
    assert not (tmp_path / "modelnet10.npz").exists()


def test_a_zip_file_that_is_cut_off_is_named(tmp_path):
    zipped(tmp_path, published())
    path = tmp_path / "ModelNet10.zip"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=rf"{path}: not a whole"):
        load("modelnet10", tmp_path)


def cloud(i):
    return unit(POINT_CLOUDS[i])


def test_a_folder_may_mix_meshes_and_clouds(tmp_path):
    unpacked(
        tmp_path,
        {"a/1.off": off(), "a/view.png": b"of it", "a/2.ply": ply("binary_little_endian"), "b/1.ply": ply("ascii")},
    )
    np.save(tmp_path / "b" / "2.npy", POINT_CLOUDS[0])
    data = load(tmp_path)
    assert data.kind == "point clouds"
    assert (data.classes, data.shape) == (("a", "b"), (30, 3))  # as few points as the smallest cloud has
    x = torch.cat([data.train.x, data.test.x])
    torch.testing.assert_close(x.norm(dim=2).amax(1), torch.ones(4))
    assert any(np.allclose(np.sort(each, axis=0), np.sort(cloud(0), axis=0), atol=1e-6) for each in x.numpy())


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((5, 3)), "must not be all the same"),
        (np.full((5, 3), np.inf), "must be finite"),
        (np.zeros((0, 3)), r"must be \(points, 3\) of floats; got float64 \(0, 3\)"),
        (np.zeros((5, 2)), r"must be \(points, 3\) of floats; got float64 \(5, 2\)"),
    ],
)
def test_another_cloud_is_refused_by_name(tmp_path, points, message):
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "1.npy", points)
    np.save(tmp_path / "a" / "2.npy", POINT_CLOUDS[0])
    with pytest.raises(ValueError, match=rf"a/1.npy: .*{message}"):
        load(tmp_path)


def test_an_array_is_split_with_a_seed(tmp_path):
    np.save(tmp_path / "mine.npy", POINT_CLOUDS)
    data, again = load(tmp_path / "mine.npy"), load(tmp_path / "mine.npy")
    assert (data.name, len(data.train), len(data.test), data.shape) == ("mine", 6, 2, (30, 3))
    assert torch.equal(data.test.x, again.test.x)
    seen = {x.numpy().tobytes() for x in (*data.train.x, *data.test.x)}
    assert seen == {cloud(i).tobytes() for i in range(8)}
    assert data.train.labels.unique().tolist() == [-1]


def test_a_npz_file_may_hold_labels_and_a_split(tmp_path):
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
        ({"label": np.arange(7)}, r"a label each; got \(8, 30, 3\) and \(7,\)"),
        ({"points": POINT_CLOUDS[..., :2]}, r"points must be \(n, points, 3\)"),
        ({"points": np.float32(3)}, r"points must be \(n, points, 3\)"),
        ({"points": POINT_CLOUDS[:1]}, "there must be two examples at least"),
        ({"points": POINT_CLOUDS * np.nan}, "must be finite"),
        ({"is_train": np.ones(8, bool)}, "is_train must say of each of 8 clouds"),
        ({"is_train": np.zeros(3, bool)}, "is_train must say of each of 8 clouds"),
    ],
)
def test_other_arrays_are_refused_by_name(tmp_path, fields, message):
    np.savez(tmp_path / "mine.npz", **{"points": POINT_CLOUDS} | fields)
    with pytest.raises(ValueError, match=rf"mine\.npz: .*{message}"):
        load(tmp_path / "mine.npz")
