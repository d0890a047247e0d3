"""IDX files: round trip, damaged files, arbitrary bytes."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastlatent.data import read_idx
from tests.data.idx_files import idx

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a", bytes)])
def test_round_trip(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(idx(IMAGES)))
    np.testing.assert_array_equal(read_idx(tmp_path / name, 3), IMAGES)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a", b"", "header needs 16 bytes; got 0"),
        ("a", b"\0\0\x0d\x03" + idx(IMAGES)[4:], "first four bytes must be 00000803"),
        ("a", idx(IMAGES)[:-1], "need 60 bytes of values; got 59"),
        ("a", idx(IMAGES) + b"\0", "need 60 bytes of values; got more"),
        ("a", struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "must give between 1 and"),
        ("a", struct.pack(">4B3I", 0, 0, 8, 3, 0, 28, 28), "must give between 1 and"),
        ("a.gz", idx(IMAGES), "not a valid IDX file: Not a gzipped file"),
        ("a.gz", gzip.compress(idx(IMAGES), mtime=0)[:-12], "not a valid IDX file"),
    ],
)
def test_damaged_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_idx(tmp_path / name, 3)
    assert str(tmp_path / name) in str(error.value)


@given(st.binary(max_size=64))
def test_any_bytes_give_an_array_or_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(b"\0\0\x08\x01" + content)
    try:
        values = read_idx(path, 1)
    except ValueError:
        return
    assert values.tobytes() == content[4:]
