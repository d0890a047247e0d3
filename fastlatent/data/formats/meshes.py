"""Meshes in .off and .ply files, and sampling of points on them."""

import io
import re
from typing import Any

import numpy as np

MAX_MESH_BYTES = 2**27
OFF_HEADER = re.compile(rb"\s*OFF(?:\s|#[^\n]*\n)*(\d+)\s+(\d+)")  # some of ModelNet's have no space after OFF
PLY_ELEMENT = re.compile(rb"^element\s+(\w+)\s+(\d+)\s*$", re.MULTILINE)
SUFFIXES = (".off", ".ply")


def read_mesh(data: bytes | bytearray, suffix: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a mesh; polygons are triangulated.

    Args:
        data: content of the file; a .ply may be text or binary of either byte order, and may have no faces.
        suffix: ".off" or ".ply".

    Returns:
        Vertices (v, 3), float64, and triangles (t, 3), indices of vertices.

    Raises:
        ValueError: if the file has another format, or is truncated.
        ImportError: if trimesh is not installed.
    """
    try:
        import trimesh
    except ImportError as error:
        raise ImportError("reading meshes needs trimesh: install fastlatent with its extra 'data'") from error
    vertices, faces = _read_counts(data, suffix)
    if vertices + faces > len(data):
        raise ValueError(f"the header declares {vertices} vertices and {faces} faces; got {len(data)} bytes")
    if suffix == ".off":
        data.decode()  # trimesh would detect the encoding of other text, with an optional library
    mesh: Any = trimesh.load(io.BytesIO(data), file_type=suffix[1:], process=False)
    points = np.asarray(mesh.vertices, np.float64)
    triangles = np.asarray(getattr(mesh, "faces", ()), np.int64).reshape(-1, 3)
    if len(points) != vertices or len(triangles) < faces:
        raise ValueError(
            f"the header declares {vertices} vertices and {faces} faces; got {len(points)} and {len(triangles)}"
        )
    if not len(points) or not np.isfinite(points).all():
        raise ValueError("vertices must be finite, at least one")
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < len(points):
        raise ValueError(f"faces must be of vertices 0 to {len(points) - 1}")
    return points, triangles


def sample_surface(vertices: np.ndarray, triangles: np.ndarray, n: int, random: np.random.Generator) -> np.ndarray:
    """Sample points uniformly on a mesh.

    A triangle (a, b, c) is drawn with probability ∝ its area, and in it the point
    a + √r·(1 − s)·(b − a) + √r·s·(c − a) for uniform r and s.

    Args:
        vertices: (v, 3).
        triangles: (t, 3), indices of vertices.
        n: number of points.
        random: random generator.

    Returns:
        (n, 3).

    Raises:
        ValueError: if the mesh has area 0.

    Source: Osada et al. 2002, "Shape distributions", section 4.2.
    """
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    if not areas.sum() > 0:
        raise ValueError("the mesh has area 0, no points can be sampled on it")
    rows = random.choice(len(areas), n, p=areas / areas.sum())
    a, b, c = a[rows], b[rows], c[rows]
    root, s = np.sqrt(random.random((n, 1))), random.random((n, 1))
    return a + root * (1 - s) * (b - a) + root * s * (c - a)


def _read_counts(data: bytes | bytearray, suffix: str) -> tuple[int, int]:
    """Return the numbers of vertices and faces in the header."""
    if suffix == ".off":
        match = OFF_HEADER.match(data)
        if match is None:
            raise ValueError("it must begin with OFF and the numbers of vertices and faces")
        return int(match[1]), int(match[2])
    header, end, _ = data[: 2**16].partition(b"end_header")
    counts = dict(PLY_ELEMENT.findall(header.replace(b"\r", b"")))
    if not data.startswith(b"ply") or not end or b"vertex" not in counts:
        raise ValueError("it must begin with ply and a header with an element vertex")
    return int(counts[b"vertex"]), int(counts.get(b"face", 0))
