"""Arrays from pickles, and refusal of all other pickles."""

import os
import pickle
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastlatent.data.formats.safe_pickle import read_pickle
from tests.data.published_formats import pickled, pickled_array, string

VALUES = np.arange(12, dtype=np.uint8).reshape(3, 4)
SHORT = pickled_array(VALUES).replace(b"U\x0c" + VALUES.tobytes(), b"U\x0b" + bytes(11))


@pytest.mark.parametrize("dtype", ["u1", "<i4", ">i4", "<f8", "b1"])
def test_arrays_of_python_2_are_read(dtype):
    values = (np.arange(6).reshape(2, 3) % 2).astype(dtype)
    content = read_pickle(pickled({b"data": pickled_array(values), b"of": string(b"batch")}))
    assert content["of"] == b"batch"
    np.testing.assert_array_equal(content["data"], values)
    assert content["data"].dtype == values.dtype


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_python_3_are_read(protocol, order):
    values = np.arange(6, dtype=np.float32).reshape(2, 3, order=order)
    content = read_pickle(pickle.dumps({"data": values, "labels": [1, 2]}, protocol))
    np.testing.assert_array_equal(content["data"], values)
    assert content["labels"] == [1, 2]


class ExecutesCode:
    """Object that runs a command when it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("inside", [lambda bad: bad, lambda bad: {"data": bad}, lambda bad: {"data": [VALUES, bad]}])
def test_pickle_with_code_is_refused_and_not_executed(tmp_path, protocol, inside):
    witness = tmp_path / "ran"
    content = pickle.dumps(inside(ExecutesCode(f"touch {witness}")), protocol)
    with pytest.raises(ValueError, match="not a pickled dictionary of arrays"):
        read_pickle(content)
    assert not witness.exists()
    pickle.loads(content)
    assert witness.exists()  # plain pickle executes it


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a pickled dictionary"),
        (b"junk", "not a pickled dictionary"),
        (pickled({b"data": pickled_array(VALUES)})[:-40], "not a pickled dictionary"),
        (pickle.dumps([1, 2], 2), "but a list"),
        (pickle.dumps({"data": np.array([{}], object)}, 2), "must be numeric; got dtype 'O8'|GLOBAL|refers to"),
        (pickle.dumps({"data": np.zeros(2, "f4,i4")}, 4), "must be numeric; got dtype 'V8'"),
        (pickled({b"data": SHORT}), r"shape \(3, 4\) of uint8 does not fit 11 bytes"),
        (pickled({b"data": pickled_array(VALUES).replace(b"J\3\0\0\0", b"J\xff\xff\xff\xff", 1)}), "must be a shape"),
        (b"\x80\x02cbuiltins\neval\n(U\x031+1tR.", r"refers to builtins.eval; only arrays are read"),
        (b"\x80\x02cnumpy\nfromfile\n.", r"refers to numpy.fromfile"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "numbers an object 2147483647, but has"),
        (b"\x80\x02\x8a\x04\x00\x00\x00\x40.", "LONG1 at byte 2 is not needed"),
    ],
)
def test_other_pickles_raise(content, message):
    with pytest.raises(ValueError, match=message):
        read_pickle(content)


def test_tuples_of_exponential_hashing_time_raise():
    doubled = b"".join(b"q%ch%ch%c\x86" % (i, i, i) for i in range(100))  # t = (t, t), a hundred times: 2¹⁰⁰ steps
    with pytest.raises(ValueError, match="refers to earlier objects more than 24 times"):
        read_pickle(b"\x80\x02}(K\x01" + doubled + b"Nu.")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_dictionary_or_a_value_error(content):
    with suppress(ValueError):
        assert isinstance(read_pickle(b"\x80\x02" + content), dict)


@given(st.data())
def test_corrupt_bytes_give_a_dictionary_or_a_value_error(data):
    content = bytearray(pickled({b"data": pickled_array(VALUES), b"labels": b"](K\x01K\x02e"}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        assert isinstance(read_pickle(content), dict)
