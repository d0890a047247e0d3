"""ModelNet10 from the published archive, its unpacked folder, and .npz files."""

import zipfile

import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.data.formats.point_clouds import POINTS
from tests.data.published_formats import TETRAHEDRON, off, write_files

CLASSES = ("bathtub", "night_stand")


def published():
    """Files of ModelNet10.zip, with fewer and simpler meshes."""
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


@pytest.mark.parametrize("write", [zipped, write_files])
def test_published_files_are_sampled_and_the_points_saved(tmp_path, write):
    write(tmp_path, published())
    data = load("modelnet10", tmp_path)
    assert (data.classes, len(data.train), len(data.test), data.shape) == (CLASSES, 4, 2, (POINTS, 3))
    assert sorted(data.test.labels.tolist()) == [0, 1]
    assert (tmp_path / "modelnet10.npz").exists()
    reloaded = load("modelnet10", tmp_path)
    assert torch.equal(reloaded.train.x, data.train.x)
    assert reloaded.classes == CLASSES
    lengths = np.ptp(data.train.x.numpy(), axis=1)
    assert ((lengths[:, 0] / lengths[:, 1] > 1.5) == data.train.labels.numpy()).all()


def test_damaged_mesh_is_named(tmp_path):
    zipped(tmp_path, published() | {"ModelNet10/bathtub/train/bathtub_0.off": off()[:-20]})
    with pytest.raises(ValueError, match=r"bathtub/train/bathtub_0\.off: not a valid mesh or point cloud: the header"):
        load("modelnet10", tmp_path)
    assert not (tmp_path / "modelnet10.npz").exists()


def test_truncated_zip_file_is_named(tmp_path):
    zipped(tmp_path, published())
    path = tmp_path / "ModelNet10.zip"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=rf"{path}: not a valid"):
        load("modelnet10", tmp_path)


@pytest.fixture
def modelnet_file(tmp_path):
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, size=(6, 10, 3)).astype(np.float16)
    fields = {
        "points": points,
        "label": np.arange(6, dtype=np.uint8),
        "is_train": np.arange(6) < 4,
        "classes": np.array(list("abcdef")),
    }
    (tmp_path / "modelnet10").mkdir()
    path = tmp_path / "modelnet10" / "modelnet10.npz"
    np.savez(path, **fields)
    return path, fields


def test_npz_file_keeps_the_official_split(modelnet_file, tmp_path):
    _, fields = modelnet_file
    data = load("modelnet10", tmp_path)
    assert (len(data.train), len(data.test), data.shape, data.classes) == (4, 2, (10, 3), tuple("abcdef"))
    assert sorted(data.test.labels.tolist()) == [4, 5]
    for split in (data.train, data.test):
        assert torch.equal(split[:].x, torch.from_numpy(fields["points"]).float()[split.labels])


def test_npz_file_with_other_fields_raises(modelnet_file, tmp_path):
    path, fields = modelnet_file
    np.savez(path, **{name: fields[name] for name in ("points", "label", "classes")})
    with pytest.raises(ValueError, match=r"must have points, label, is_train and classes; lacks is_train"):
        load("modelnet10", tmp_path)
    np.savez(path, **fields | {"points": fields["points"][..., :2]})
    with pytest.raises(ValueError, match=r"points must be \(n, points, 3\) and label \(n,\); got \(6, 10, 2\)"):
        load("modelnet10", tmp_path)
