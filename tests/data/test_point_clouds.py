import math

import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.data.datasets.solids import SOLIDS, box, cone, cylinder, ellipsoid, torus
from fastlatent.data.point_clouds import unit


@pytest.fixture(scope="module")
def shapes():
    return load("shapes")


def test_shapes_are_centerd_in_the_unit_sphere(shapes):
    for split in (shapes.train, shapes.test):
        x = split[:].x
        assert x.dtype == torch.float32
        torch.testing.assert_close(x.mean(1), torch.zeros(len(x), 3), rtol=0, atol=1e-6)
        torch.testing.assert_close(x.norm(dim=2).amax(1), torch.ones(len(x)))


def test_shapes_are_the_same_in_every_run_and_equally_many_of_each_class(shapes):
    assert torch.equal(load("shapes").test.x, shapes.test.x)
    assert torch.equal(shapes.train.labels.bincount(), torch.full((len(SOLIDS),), 256))
    assert torch.equal(shapes.test.labels.bincount(), torch.full((len(SOLIDS),), 64))


def test_fewer_points_are_the_first_ones(shapes):
    fewer = shapes.with_points(32)
    assert fewer.shape == (32, 3)
    assert torch.equal(fewer.train.x, shapes.train.x[:, :32])
    with pytest.raises(ValueError, match="points must be at most 256, as many as the clouds have; got 257"):
        shapes.with_points(257)
    with pytest.raises(ValueError, match="points must be an integer >= 1; got 0"):
        shapes.with_points(0)


def drawn(solid, n=20_000):
    return solid(np.random.default_rng(3), n)


def test_points_lie_on_their_surfaces():
    x, y, z = drawn(torus).T
    ring = np.hypot(np.hypot(x, y) - 1, z)
    np.testing.assert_allclose(ring, ring[0])
    points = drawn(box)
    assert np.isclose(np.abs(points), np.abs(points).max(0)).any(1).all()
    points = drawn(ellipsoid)
    axes = np.abs(points).max(0)
    np.testing.assert_allclose(np.square(points / axes).sum(1), 1, atol=0.02)  # axes are known from the points alone
    x, y, z = drawn(cone).T
    radius = np.hypot(x, y)
    assert (np.isclose(z, -1) | np.isclose(radius, radius.max() * (1 - z) / 2, atol=1e-3)).all()


FIVE_SIGMA = 5 * 0.5 / math.sqrt(20_000)  # of a share of 20,000 points


def test_points_are_spread_by_area():
    half = np.abs(drawn(box)).max(0)
    on_top = np.isclose(np.abs(drawn(box)[:, 2]), half[2]).mean()
    areas = half.prod() / half
    assert on_top == pytest.approx(areas[2] / areas.sum(), abs=FIVE_SIGMA)
    x, y, z = drawn(cylinder).T
    radius = np.hypot(x, y).max()
    assert np.isclose(np.abs(z), 1).mean() == pytest.approx(radius / (radius + 2), abs=FIVE_SIGMA)
    x, y, z = drawn(torus).T
    tube = z.max()
    assert (np.hypot(x, y) > 1).mean() == pytest.approx(0.5 + tube / math.pi, abs=FIVE_SIGMA)


def test_unit_undoes_shift_and_scale():
    points = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(unit(3 * points + 7), unit(points))


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


def test_modelnet10_is_read_in_its_official_split(modelnet_file, tmp_path):
    _, fields = modelnet_file
    data = load("modelnet10", tmp_path)
    assert (len(data.train), len(data.test), data.shape, data.classes) == (4, 2, (10, 3), tuple("abcdef"))
    assert sorted(data.test.labels.tolist()) == [4, 5]
    for split in (data.train, data.test):
        assert torch.equal(split[:].x, torch.from_numpy(fields["points"]).float()[split.labels])


def test_a_file_that_is_something_else_is_refused(modelnet_file, tmp_path):
    path, fields = modelnet_file
    np.savez(path, **{name: fields[name] for name in ("points", "label", "classes")})
    with pytest.raises(ValueError, match=r"must hold points, label, is_train and classes; lacks is_train"):
        load("modelnet10", tmp_path)
    np.savez(path, **fields | {"points": fields["points"][..., :2]})
    with pytest.raises(ValueError, match=r"points must be \(n, points, 3\), a label each; got \(6, 10, 2\)"):
        load("modelnet10", tmp_path)


@pytest.mark.parametrize(("name", "file"), [("modelnet10", "modelnet10_1024_f16.npz"), ("letter", "letter-recog")])
def test_a_missing_file_is_named(name, file, tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"{name}: no {file}.* in {tmp_path}.*--data-dir or FASTLATENT_DATA"):
        load(name, tmp_path)
