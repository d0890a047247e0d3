"""Tables from text files."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fastlatent.data import load
from fastlatent.data.formats.csv_files import has_header

IRIS = "length,width,color,class\n" + "".join(
    f"{i},{2 * i + 0.5},{'red' if i % 3 else 'blue'},{'big' if i > 5 else 'small'}\n" for i in range(12)
)


@pytest.fixture
def read(tmp_path):
    """Function that loads a table from text."""

    def load_text(text, name="mine.csv", **options):
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return load(tmp_path / name, **options)

    return load_text


def raw(data):
    """The decoded rows, sorted."""
    rows = torch.cat([data.train.x, data.test.x]).double().numpy()
    columns = [
        [column.categories[int(v)] for v in values] if column.categories else list(values * column.std + column.mean)
        for column, values in zip(data.columns, rows.T, strict=True)
    ]
    return sorted(zip(*columns, strict=True))


def test_names_types_and_labels_are_inferred(read):
    data = read(IRIS)
    assert (data.name, data.kind, len(data.train), len(data.test)) == ("mine", "rows", 9, 3)
    assert [column.name for column in data.columns] == ["length", "width", "color"]
    assert data.shape == (0, 0, 2)
    assert data.classes == ("big", "small")
    for i, row in enumerate(raw(data)):
        assert row[:2] == pytest.approx((i, 2 * i + 0.5), abs=1e-5)
        assert row[2] == ("red" if i % 3 else "blue")
    big = torch.cat([data.train.x, data.test.x])[:, 0] * data.columns[0].std + data.columns[0].mean > 5.5
    assert torch.equal(torch.cat([data.train.labels, data.test.labels]) == 0, big)


def test_split_is_deterministic_and_standardized_by_training_rows(read):
    one, other = read(IRIS), read(IRIS)
    assert torch.equal(one.test.x, other.test.x)
    torch.testing.assert_close(one.train.x[:, 0].mean(), torch.tensor(0.0), rtol=0, atol=1e-6)
    torch.testing.assert_close(one.train.x[:, 0].std(correction=0), torch.tensor(1.0))


@pytest.mark.parametrize(
    "text",
    [
        IRIS.replace(",", ";"),
        IRIS.replace(",", "\t"),
        IRIS.replace(",", " | "),
        IRIS.replace(",", "  "),
        IRIS.replace("\n", "\r\n"),
        "\ufeff" + IRIS,
        "@relation iris\n% a remark\n" + IRIS + "\n\n",
        IRIS.replace("blue", '"blue"'),
        IRIS.split("\n", 1)[1],
    ],
)
def test_delimiters_and_quotes_are_equivalent(read, text):
    assert raw(read(text, label="last")) == raw(read(IRIS, label="last"))


def test_quoted_words_may_have_delimiters(read):
    data = read('a,b\n1,"x, y"\n2,"x, y"\n3,z\n')
    assert data.columns[1].categories == ("x, y", "z")


@pytest.mark.parametrize(
    ("label", "columns", "classes"),
    [
        ("color", ["length", "width", "class"], ("blue", "red")),
        ("last", ["length", "width", "color"], ("big", "small")),
        ("first", ["width", "color", "class"], tuple(map(str, range(12)))),
    ],
)
def test_label_option_selects_the_column(read, label, columns, classes):
    data = read(IRIS, label=label)
    assert [column.name for column in data.columns] == columns
    assert data.classes == classes


def test_columns_of_other_names_are_no_labels(read):
    data = read(IRIS.replace("class", "kind"))
    assert len(data.columns) == 4
    assert data.classes == ()
    assert data.train.labels.unique().tolist() == [-1]


def test_missing_values(read):
    data = read("a,b,class\n1,x,u\n?,y,u\n3,,v\nNA,x,\n1,x,u\n3,y,v\n")
    assert data.columns[1].categories == ("", "x", "y")
    assert (torch.cat([data.train.x, data.test.x])[:, 0] == 0).sum() >= 2  # the mean
    assert sorted(torch.cat([data.train.labels, data.test.labels]).tolist()) == [-1, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("lines", "header"),
    [
        (["a,b", "1,2", "3,4"], True),
        (["1,2", "3,4"], False),
        (["a,1", "a,2", "b,1"], False),  # a repeated word is not a header
        (["letter,1,2", "T,2,8", "I,5,12"], True),
        (["T,2,8,2", "I,5,12,3"], False),
        (["name,1", "x,", "y,3"], True),
        (["5.1,setosa", "4.9,setosa"], False),
        (["a,b"], False),
    ],
)
def test_header_is_detected(lines, header):
    assert has_header([line.split(",") for line in lines]) == header


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "it has no rows"),
        ("a,b\n", {}, "there must be at least two examples"),
        ("a,b\n1,2\n3\n", {}, "row 3 has 1 values, the first has 2"),
        ("a,a\n1,2\n3,4\n", {}, "two columns have the same name"),
        ("a,b\n1,?\n3,\n", {}, "column b is empty"),
        ("a,b\n1,inf\n3,4\n", {}, "column b has an infinite number"),
        ("class\n1\n2\n", {}, "must have a column in addition to the labels"),
        (IRIS, {"label": "species"}, "label must be first, last or one of its columns length, width, color, class"),
        ("a\n" + "".join(f"word{i}\n" for i in range(1001)), {}, "column a has 1001 distinct words"),
        ("a,b\n" + "".join(f"1,{i}\n" for i in range(1001)), {"label": "b"}, "at most 1000 classes; got 1001"),
        (b"a,b\n1,\xff\n", {}, "utf-8"),
        ('a,b\n1,"x\n', {}, "unexpected end of data"),
    ],
)
def test_malformed_table_is_named(read, text, options, message):
    with pytest.raises(ValueError, match=rf"mine\.csv: not a valid table: .*{message}"):
        read(text, **options)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(-5, 5), st.sampled_from(["x", "y"])), min_size=3))
def test_numbers_and_words_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text("a,b,c\n" + "".join(f"{a!r},{b},{c}\n" for a, b, c in rows))
    actual = raw(load(path))
    scale = max(1.0, max(abs(a) for a, _, _ in rows))
    assert sorted(c for _, _, c in actual) == sorted(c for _, _, c in rows)
    np.testing.assert_allclose(sorted(a for a, _, _ in actual), sorted(a for a, _, _ in rows), atol=1e-5 * scale)


@pytest.mark.parametrize(
    ("name", "columns", "classes", "rows"),
    [("magic.dat", 10, 2, 19_020), ("satimage.dat", 36, 6, 6_435), ("optdigits.dat", 64, 10, 5_620)],
)
def test_real_tables_are_read(data_dir, name, columns, classes, rows):
    path = data_dir / "tabular" / name
    if not path.exists():
        pytest.skip(f"no {name} in {path.parent}")
    data = load(path, label="last")
    assert data.shape == (0,) * columns
    assert (len(data.classes), len(data.train) + len(data.test)) == (classes, rows)
    assert not data.train.x.isnan().any()
