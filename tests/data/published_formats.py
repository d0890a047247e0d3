"""Writers of published file formats: pickles of Python 2, meshes, archives."""

import io
import struct
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

TETRAHEDRON = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
PLY = """ply
format {format} 1.0
comment written for a test
element vertex {vertices}
property float x
property float y
property float z
element face {faces}
property list uchar int vertex_indices
end_header
"""


def off(vertices: np.ndarray = TETRAHEDRON, faces: np.ndarray = FACES, start: str = "OFF\n") -> bytes:
    """A mesh as in ModelNet."""
    lines = [f"{start}{len(vertices)} {len(faces)} 0"]
    lines += [" ".join(map(str, vertex)) for vertex in vertices]
    lines += [" ".join(map(str, (len(face), *face))) for face in faces]
    return ("\n".join(lines) + "\n").encode()


def ply(kind: str, vertices: np.ndarray = TETRAHEDRON, faces: np.ndarray = FACES) -> bytes:
    """A mesh as text ("ascii") or binary ("binary_little_endian", "binary_big_endian")."""
    header = PLY.format(format=kind, vertices=len(vertices), faces=len(faces)).encode()
    if kind == "ascii":
        return header + off(vertices, faces).split(b"\n", 2)[2]
    order = "<" if "little" in kind else ">"
    indices = [struct.pack(f"{order}B{len(face)}i", len(face), *face) for face in faces.tolist()]
    return header + vertices.astype(f"{order}f4").tobytes() + b"".join(indices)


def string(text: bytes) -> bytes:
    """A string of Python 2, pickled."""
    return (b"U" + bytes([len(text)]) if len(text) < 256 else b"T" + struct.pack("<i", len(text))) + text


def pickled_array(values: np.ndarray) -> bytes:
    """An array as pickled by NumPy in Python 2."""
    dtype = b"cnumpy\ndtype\n" + string(values.dtype.str[1:].encode()) + b"K\x00K\x01\x87R"
    dtype += b"(K\x03" + string(values.dtype.str[:1].encode()) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"(" + b"".join(b"J" + struct.pack("<i", side) for side in values.shape) + b"t"
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + string(b"b") + b"\x87R"
    return start + b"(K\x01" + shape + dtype + b"\x89" + string(values.tobytes()) + b"tb"


def pickled(content: Mapping[bytes, bytes]) -> bytes:
    """A dictionary of pickled values, as pickled by Python 2 with protocol 2."""
    return b"\x80\x02}(" + b"".join(string(key) + value for key, value in content.items()) + b"u."


def cifar_batch(pixels: np.ndarray, labels: Sequence[int]) -> bytes:
    """A batch of CIFAR-10, pixels (n, 3072)."""
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    names = b"](" + b"".join(string(b"picture_%d.png" % i) for i in range(len(labels))) + b"e"
    content = {b"data": pickled_array(pixels), b"labels": numbers, b"batch_label": string(b"1 of 5")}
    return pickled({**content, b"filenames": names})


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write these files, with their folders."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
