"""Surfaces in .off and .ply files, and points on them."""

import io
import re
from typing import Any

import numpy as np

MAX_MESH_BYTES = 2**27
OFF_HEADER = re.compile(rb"\s*OFF(?:\s|#[^\n]*\n)*(\d+)\s+(\d+)")  # some of ModelNet's have no space after OFF
PLY_ELEMENT = re.compile(rb"^element\s+(\w+)\s+(\d+)\s*$", re.MULTILINE)
SUFFIXES = (".off", ".ply")


def read_mesh(data: bytes | bytearray, suffix: str) -> tuple[np.ndarray, np.ndarray]:
    """The vertices (v, 3) and triangles (t, 3) of a surface; polygons are cut into triangles.

    Args:
        data: content of the file; a .ply may be text or binary of either byte order, and may hold points alone, t = 0.
        suffix: ".off" or ".ply".

    Raises:
        ValueError: if it is not such a file, or holds less than its header says.
        ImportError: where trimesh is not installed.
    """
    try:
        import trimesh
    except ImportError as error:
        raise ImportError("reading meshes needs trimesh: install fastlatent with its extra 'data'") from error
    vertices, faces = _announced(data, suffix)
    if vertices + faces > len(data):
        raise ValueError(f"the header asks for {vertices} vertices and {faces} faces, of {len(data)} bytes")
    if suffix == ".off":
        data.decode()  # trimesh guesses at what is not text, with a library that need not be there
    mesh: Any = trimesh.load(io.BytesIO(data), file_type=suffix[1:], process=False)
    points = np.asarray(mesh.vertices, np.float64)
    triangles = np.asarray(getattr(mesh, "faces", ()), np.int64).reshape(-1, 3)
    if len(points) != vertices or len(triangles) < faces:
        raise ValueError(
            f"the header asks for {vertices} vertices and {faces} faces; got {len(points)} and {len(triangles)}"
        )
    if not len(points) or not np.isfinite(points).all():
        raise ValueError("vertices must be finite, and one at least")
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < len(points):
        raise ValueError(f"faces must be of vertices 0 to {len(points) - 1}")
    return points, triangles


def on_surface(vertices: np.ndarray, triangles: np.ndarray, n: int, random: np.random.Generator) -> np.ndarray:
    """n points (n, 3), evenly spread over a surface.

    A triangle is drawn in proportion to its area, and in it a + √r·(1 − s)·(b − a) + √r·s·(c − a), r and s uniform.

    Args:
        vertices: (v, 3).
        triangles: (t, 3), numbers of vertices.
        n: how many.
        random: where chance comes from.

    Raises:
        ValueError: if the surface has no area.

    Source: Osada et al. 2002, "Shape distributions", section 4.2.
    """
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    if not areas.sum() > 0:
        raise ValueError("the surface has no area to draw points from")
    drawn = random.choice(len(areas), n, p=areas / areas.sum())
    a, b, c = a[drawn], b[drawn], c[drawn]
    root, s = np.sqrt(random.random((n, 1))), random.random((n, 1))
    return a + root * (1 - s) * (b - a) + root * s * (c - a)


def _announced(data: bytes | bytearray, suffix: str) -> tuple[int, int]:
    """The numbers of vertices and of faces that the header gives."""
    if suffix == ".off":
        found = OFF_HEADER.match(data)
        if found is None:
            raise ValueError("it must begin with OFF and the numbers of vertices and faces")
        return int(found[1]), int(found[2])
    header, end, _ = data[: 2**16].partition(b"end_header")
    counts = dict(PLY_ELEMENT.findall(header.replace(b"\r", b"")))
    if not data.startswith(b"ply") or not end or b"vertex" not in counts:
        raise ValueError("it must begin with ply and a header that announces vertices")
    return int(counts[b"vertex"]), int(counts.get(b"face", 0))
