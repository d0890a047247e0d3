""".npy and .npz files."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fastlatent.data import files, read_npy, read_npz

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def npy(values, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, values, version)
    return file.getvalue()


@given(arrays(st.sampled_from(["u1", ">i4", "<f8", "U3", "?"]), array_shapes(min_dims=0, max_dims=3, min_side=0)))
def test_round_trip(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "any.npy"
    path.write_bytes(npy(values))
    content = read_npy(path)
    np.testing.assert_array_equal(content, values)
    assert content.dtype == values.dtype
    assert content.flags.writeable or not content.size


@pytest.mark.parametrize("values", [VALUES, np.asfortranarray(VALUES)])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_both_orders_and_versions_are_read(tmp_path, values, version):
    (tmp_path / "a.npy").write_bytes(npy(values, version))
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), VALUES)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_required_and_optional_arrays_are_read(tmp_path, save):
    save(tmp_path / "a.npz", x=VALUES, label=np.arange(2), other=np.array([{}], object))
    content = read_npz(tmp_path / "a.npz", ("x",), ("label", "classes"))
    assert set(content) == {"x", "label"}
    np.testing.assert_array_equal(content["x"], VALUES)


def test_missing_array_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", x=VALUES)
    with pytest.raises(ValueError, match="must have x, y and z; lacks y, z"):
        read_npz(tmp_path / "a.npz", ("x", "y", "z"))


class ExecutesCode:
    def __reduce__(self):
        return exec, ("open('ran', 'w')",)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_python_objects_raise_and_are_not_executed(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    objects = np.array([ExecutesCode()], object)
    (np.save if name == "a.npy" else np.savez)(tmp_path / name, objects)
    with pytest.raises(ValueError, match=rf"{name}: .*it has Python objects"):
        read_npy(tmp_path / name) if name == "a.npy" else read_npz(tmp_path / name, ("arr_0",))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "EOF"),
        (b"junk of some length", "magic"),
        (pickle.dumps(VALUES), "magic"),
        (npy(VALUES)[:-1], r"shape \(2, 3\) of float32 does not fit 23 bytes"),
        (npy(VALUES) + b"\0", r"shape \(2, 3\) of float32 does not fit 25 bytes"),
        (
            npy(VALUES).replace(b"(2, 3), }              ", b"(1000000000000, 3), }  "),
            r"\(1000000000000, 3\) .*does not",
        ),
        (npy(VALUES).replace(b"(2, 3)", b"(-2,-3)"), "does not fit|shape"),
        (npy(VALUES).replace(b"(2, 3)", b"exit()"), "Cannot parse header|malformed"),
    ],
)
def test_damaged_files_are_named(tmp_path, content, message):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_npy(tmp_path / "a.npy")
    assert str(tmp_path / "a.npy") in str(error.value)


@pytest.mark.parametrize("keep", [0, 20, 200])
def test_truncated_npz_file_is_named(tmp_path, keep):
    path = tmp_path / "a.npz"
    np.savez(path, x=VALUES)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"{path}: not a valid .npz file"):
        read_npz(path, ("x",))


def test_flipped_bit_fails_the_crc(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=VALUES)
    content = bytearray(path.read_bytes())
    content[content.index(VALUES.tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Bad CRC-32"):
        read_npz(path, ("x",))


def test_decompression_bomb_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(files.read_bounded, "__defaults__", (10**6,))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy(np.zeros(10**7, np.uint8)))
    assert (tmp_path / "a.npz").stat().st_size < 20_000
    with pytest.raises(ValueError, match="it expands to more than 1000000 bytes"):
        read_npz(tmp_path / "a.npz", ("x",))
