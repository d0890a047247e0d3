"""Tables from text files with delimiter-separated values."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..batch import UNLABELED
from ..dataset import default_epochs, split_rows
from ..files import errors_naming_file, read_bounded
from ..tables import TableDataset, build_table

MAX_CSV_BYTES = 2**30
MAX_CATEGORIES = 1000  # distinct words of a column; free text has more
DELIMITERS = "\t;|,"
HEADER_SAMPLE = 1000  # lines by which a header is detected
COMMENT_PREFIXES = ("@", "#", "%")
MISSING = ("", "?", "na", "n/a", "nan", "null", "none")
LABELS = ("label", "labels", "class", "target")  # default names of the column of classes


def csv_table(path: Path, label: str | None = None) -> TableDataset:
    """Load a table from a text file with values separated by commas, semicolons, tabs, bars or spaces.

    A header is detected by `has_header`; without one, columns are named by their number, from 1. A column of numbers is
    numeric, any other column categorical; a missing number becomes the mean, a missing word a category of its own. A
    random quarter of the rows, the same in every run, is for testing.

    Args:
        path: path of the file, in UTF-8.
        label: name of the column of classes, or "first" or "last"; None: the column named label, labels, class or
            target in upper or lower case, if there is one.

    Raises:
        ValueError: naming the file, if it is not such a table, if there is no column `label`, or if a column is empty
            or has more than 1,000 distinct words.
    """
    with errors_naming_file(path, "table"):
        names, columns = _parse(read_bounded(path, MAX_CSV_BYTES).decode("utf-8-sig"))
        label_index = _label_index(names, label)
        labels, classes = encode_labels([] if label_index is None else columns[label_index], len(columns[0]))
        features = [i for i in range(len(names)) if i != label_index]
        if not features:
            raise ValueError("it must have a column in addition to the labels")
        values = [_values(names[i], columns[i]) for i in features]
        categorical = [names[i] for i, column in zip(features, values, strict=True) if isinstance(column[0], str)]
        rows = np.array(values, dtype=object if categorical else np.float64).T
        train, test = split_rows(len(rows))
        return build_table(
            path.stem,
            rows[train],
            rows[test],
            (labels[train], labels[test]),
            [names[i] for i in features],
            categorical,
            epochs=default_epochs(len(train)),
            classes=classes,
        )


def encode_labels(values: Sequence[str], n: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Encode labels as integers, in the order of the classes' names or numbers.

    Args:
        values: label of each example, or empty if there are none.
        n: number of examples.

    Returns:
        Labels (n,) from 0, `UNLABELED` if missing; and the names of the classes.

    Raises:
        ValueError: for more than 1,000 classes.
    """
    names = {value for value in values if not _is_missing(value)}
    if len(names) > MAX_CATEGORIES:
        raise ValueError(f"labels must be of at most {MAX_CATEGORIES} classes; got {len(names)} distinct values")
    numeric = all(_parse_number(name) is not None for name in names)
    classes = sorted(names, key=float) if numeric else sorted(names)
    code = {name: i for i, name in enumerate(classes)}
    return np.array([code.get(value, UNLABELED) for value in values] or [UNLABELED] * n), tuple(classes)


def has_header(lines: Sequence[Sequence[str]]) -> bool:
    """Return whether the first line names the columns.

    True if the first line has a word above a column of numbers; or if its cells are distinct and no word among them
    occurs again in the same column.

    Args:
        lines: cells of each line, equally many in each.
    """
    first, *others = lines
    columns = list(zip(*others, strict=True))
    if not columns:
        return False
    words = [i for i, cell in enumerate(first) if not _is_missing(cell) and _parse_number(cell) is None]
    numeric = [all(_is_missing(cell) or _parse_number(cell) is not None for cell in column) for column in columns]
    if any(numeric[i] for i in words):
        return True
    return bool(words) and len(set(first)) == len(first) and not any(first[i] in columns[i] for i in words)


def _parse(text: str) -> tuple[list[str], list[tuple[str, ...]]]:
    """Split a text into names and columns."""
    content = [line for line in text.splitlines() if line.strip() and not line.startswith(COMMENT_PREFIXES)]
    if not content:
        raise ValueError("it has no rows")
    delimiter = _delimiter(content)
    if delimiter:
        rows = csv.reader(io.StringIO("\n".join(content)), delimiter=delimiter, skipinitialspace=True, strict=True)
        lines = [[cell.strip() for cell in line] for line in rows]
    else:
        lines = [line.split() for line in content]
    for number, line in enumerate(lines, 1):
        if len(line) != len(lines[0]):
            raise ValueError(f"row {number} has {len(line)} values, the first has {len(lines[0])}")
    header = has_header(lines[:HEADER_SAMPLE])
    names = lines[0] if header else [str(i) for i in range(1, len(lines[0]) + 1)]
    if len(set(names)) < len(names):
        raise ValueError("two columns have the same name")
    columns = list(zip(*lines[header:], strict=True))
    return names, columns


def _delimiter(lines: Sequence[str]) -> str | None:
    """Detect the delimiter; None: spaces. Commas may be quoted, so their number may differ between lines."""
    regular = (mark for mark in DELIMITERS if mark in lines[0] and len({line.count(mark) for line in lines}) == 1)
    return next(regular, "," if "," in lines[0] else None)


def _label_index(names: Sequence[str], label: str | None) -> int | None:
    if label is None:
        return next((i for i, name in enumerate(names) if name.lower() in LABELS), None)
    ends = {"first": 0, "last": len(names) - 1}
    if label not in names and label not in ends:
        raise ValueError(f"label must be first, last or one of its columns {', '.join(names)}; got {label}")
    return names.index(label) if label in names else ends[label]


def _values(name: str, column: Sequence[str]) -> list[float] | list[str]:
    """Return a column's numbers, NaN if missing; or its words."""
    if all(map(_is_missing, column)):
        raise ValueError(f"column {name} is empty")
    parsed = [math.nan if _is_missing(cell) else _parse_number(cell) for cell in column]
    numbers = [number for number in parsed if number is not None]
    if len(numbers) == len(parsed):
        if any(map(math.isinf, numbers)):
            raise ValueError(f"column {name} has an infinite number")
        return numbers
    if len(set(column)) > MAX_CATEGORIES:
        raise ValueError(f"column {name} has {len(set(column))} distinct words; the limit is {MAX_CATEGORIES}")
    return list(column)


def _is_missing(cell: str) -> bool:
    return cell.lower() in MISSING


def _parse_number(cell: str) -> float | None:
    """Parse a number; None if the cell has a word."""
    try:
        return float(cell)
    except ValueError:
        return None
