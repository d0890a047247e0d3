"""Meshes in .off and .ply files, and uniform points on them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastlatent.data.files import errors_naming_file
from fastlatent.data.formats.meshes import read_mesh, sample_surface
from tests.data.published_formats import FACES, PLY, TETRAHEDRON, off, ply

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
FORMATS = ("ascii", "binary_little_endian", "binary_big_endian")


@pytest.mark.parametrize("start", ["OFF\n", "OFF", "OFF\n# made by hand\n\n", "OFF \r\n"])
def test_off_is_read(start):  # some of ModelNet's files begin with OFF4 4 0
    vertices, triangles = read_mesh(off(start=start), ".off")
    np.testing.assert_array_equal(vertices, TETRAHEDRON)
    np.testing.assert_array_equal(triangles, FACES)


def test_colors_of_faces_are_ignored():
    colored = off().replace(b"3 0 1 2\n", b"3 0 1 2 255 0 0\n")
    np.testing.assert_array_equal(read_mesh(colored, ".off")[1], FACES)


@pytest.mark.parametrize("kind", FORMATS)
def test_ply_is_read(kind):
    vertices, triangles = read_mesh(ply(kind), ".ply")
    np.testing.assert_array_equal(vertices, TETRAHEDRON)
    np.testing.assert_array_equal(triangles, FACES)


@pytest.mark.parametrize("kind", FORMATS)
def test_ply_may_have_no_faces(kind):
    vertices, triangles = read_mesh(ply(kind, faces=np.empty((0, 3), int)), ".ply")
    np.testing.assert_array_equal(vertices, TETRAHEDRON)
    assert triangles.shape == (0, 3)


@pytest.mark.parametrize(
    "content", [off(SQUARE, np.array([[0, 1, 2, 3]])), ply("ascii", SQUARE, np.array([[0, 1, 2, 3]]))]
)
def test_polygons_are_triangulated(content):
    vertices, triangles = read_mesh(content, ".off" if content.startswith(b"OFF") else ".ply")
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    assert len(triangles) == 2
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2 == pytest.approx(1)


BINARY = ply("binary_little_endian")


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        (".off", b"", "must begin with OFF"),
        (".off", b"junk", "must begin with OFF"),
        (".off", b"OFF\n#" + b"# " * 10**5, "must begin with OFF"),
        (".off", b"OFF\n1000000000000 4 0\n" + off()[10:], "declares 1000000000000 vertices and 4 faces; got .* bytes"),
        (".off", b"OFF\n4 1000000000000 0\n" + off()[10:], "declares 4 vertices and 1000000000000 faces; got .* bytes"),
        (".off", b"OFF\n50 4 0\n" + off()[10:], "reshape"),
        (".off", off()[:-16], "declares 4 vertices and 4 faces; got 4 and 2"),
        (".off", off()[:20], "reshape|inhomogeneous"),
        (".off", off(TETRAHEDRON * np.nan), "vertices must be finite"),
        (".off", off().replace(b"0.0", b"\x80.0", 1), "can't decode"),
        (".off", off(faces=FACES + 1), "range"),
        (".off", off().replace(b"0.0", b"x.0", 1), "could not convert"),
        (".ply", b"", "must begin with ply"),
        (".ply", off(), "must begin with ply"),
        (".ply", b"ply\n" + b"comment\n" * 10**5, "must begin with ply"),
        (".ply", (PLY.format(format="ascii", vertices=10**12, faces=4)).encode() + off()[10:], "got .* bytes"),
        (".ply", (PLY.format(format="ascii", vertices=50, faces=4)).encode() + off()[10:], "declares 50 vertices"),
        (".ply", (PLY.format(format="binary_little_endian", vertices=10**12, faces=4)).encode(), "got .* bytes"),
        (".ply", BINARY[:-1], "length"),
        (".ply", BINARY + b"\0", "length"),
        (".ply", ply("ascii")[:-16], "declares 4 vertices and 4 faces; got 4 and 2"),
        (".ply", ply("ascii", faces=FACES + 1), "faces must be of vertices 0 to 3"),
        (".ply", ply("ascii", faces=FACES - 1), "faces must be of vertices 0 to 3"),
    ],
)
def test_damaged_files_raise(suffix, content, message):
    with pytest.raises(ValueError, match=message):
        read_mesh(content, suffix)


@given(st.data(), st.sampled_from([(".off", off()), *((".ply", ply(kind)) for kind in FORMATS)]))
def test_corrupt_bytes_give_a_mesh_or_a_value_error(data, file):
    suffix, content = file[0], bytearray(file[1])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        with errors_naming_file("file", "mesh"):
            vertices, triangles = read_mesh(content, suffix)
    except ValueError:
        return
    assert vertices.shape[1] == triangles.shape[1] == 3


def test_points_are_uniform_on_the_surface():
    n, random = 20_000, np.random.default_rng(0)
    points = sample_surface(TETRAHEDRON.astype(float), FACES, n, random)
    assert np.isclose(points.min(1), 0).sum() + np.isclose(points.sum(1), 1).sum() >= n
    assert (points >= -1e-12).all()
    assert (points.sum(1) <= 1 + 1e-12).all()
    areas = np.array([1, 1, 1, math.sqrt(3)]) / 2
    slanted = np.isclose(points.sum(1), 1).mean()
    five_sigma = 5 * 0.5 / math.sqrt(n)
    assert slanted == pytest.approx(areas[3] / areas.sum(), abs=five_sigma)


def test_points_have_the_moments_of_their_triangle():
    n, random = 20_000, np.random.default_rng(0)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
    x, y, _ = sample_surface(corners, np.array([[0, 1, 2]]), n, random).T
    five_sigma = 5 * math.sqrt(1 / 18 / n)  # 1/18: variance of a coordinate of a uniform point
    assert (x.mean(), y.mean()) == pytest.approx((1 / 3, 1 / 3), abs=five_sigma)
    assert np.cov(x, y)[0, 1] == pytest.approx(-1 / 36, abs=five_sigma / 3)


def test_mesh_of_area_0_raises():
    with pytest.raises(ValueError, match="area 0"):
        sample_surface(np.zeros((3, 3)), np.array([[0, 1, 2]]), 5, np.random.default_rng(0))
