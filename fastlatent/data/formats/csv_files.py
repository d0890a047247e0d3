"""Tables of the user's own, in files of values separated by commas and the like."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..batch import UNLABELED
from ..dataset import default_epochs, split_rows
from ..files import errors_naming_file, read_whole
from ..tables import TableDataset, table

MAX_CSV_BYTES = 2**30
MAX_CATEGORIES = 1000  # a column of more different words holds names or remarks
SEPARATORS = "\t;|,"
LOOKED_AT = 1000  # lines, to see whether the first one has names
REMARKS = ("@", "#", "%")  # lines that begin so are passed over
MISSING = ("", "?", "na", "n/a", "nan", "null", "none")
LABELS = ("label", "labels", "class", "target")  # the name of the column of classes, unless another is given


def csv_table(path: Path, label: str | None = None) -> TableDataset:
    """Rows of a text file whose values are separated by commas, semicolons, tabulators, bars or blanks.

    A first line of names is recognized (`has_names`); without it columns are named by their number, from 1. A column of
    numbers is numeric, one of anything else categorical; a missing number becomes the mean, a missing word a category
    of its own. A quarter of the rows is for testing, by chance, the same in every run.

    Args:
        path: of the file, in UTF-8.
        label: name of the column of classes, or "first" or "last"; None: the one named label, labels, class or target,
            in whatever case, if there is one.

    Raises:
        ValueError: naming the file, if it is no such table, if label names no column, or if a column is empty or holds
            more than 1,000 different words.
    """
    with errors_naming_file(path, "table"):
        names, columns = _read(read_whole(path, MAX_CSV_BYTES).decode("utf-8-sig"))
        chosen = _label_column(names, label)
        labels, classes = numbered([] if chosen is None else columns[chosen], len(columns[0]))
        kept = [i for i in range(len(names)) if i != chosen]
        if not kept:
            raise ValueError("it must have a column beside that of the labels")
        values = [_values(names[i], columns[i]) for i in kept]
        words = [names[i] for i, column in zip(kept, values, strict=True) if isinstance(column[0], str)]
        rows = np.array(values, dtype=object if words else np.float64).T
        train, test = split_rows(len(rows))
        parts, names = (labels[train], labels[test]), [names[i] for i in kept]
        epochs = default_epochs(len(train))
        return table(path.stem, rows[train], rows[test], parts, names, words, epochs=epochs, classes=classes)


def numbered(values: Sequence[str], n: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels (n,) from 0, in the order of the classes' names or numbers, −1 where missing; and the classes.

    Raises:
        ValueError: for more than 1,000 classes.
    """
    present = {value for value in values if not _missing(value)}
    if len(present) > MAX_CATEGORIES:
        raise ValueError(f"labels must be of at most {MAX_CATEGORIES} classes; got {len(present)} different values")
    numeric = all(_number(value) is not None for value in present)
    classes = sorted(present, key=float) if numeric else sorted(present)
    number = {name: i for i, name in enumerate(classes)}
    return np.array([number.get(value, UNLABELED) for value in values] or [UNLABELED] * n), tuple(classes)


def has_names(lines: Sequence[Sequence[str]]) -> bool:
    """Whether the first of these lines names the columns.

    It does if it has a word where all other lines have a number; or if its words are all different and, where it has
    words, none of them occurs again below.
    """
    first, *others = lines
    columns = list(zip(*others, strict=True))
    if not columns:
        return False
    words = [i for i, cell in enumerate(first) if not _missing(cell) and _number(cell) is None]
    numeric = [all(_missing(cell) or _number(cell) is not None for cell in column) for column in columns]
    if any(numeric[i] for i in words):
        return True
    return bool(words) and len(set(first)) == len(first) and not any(first[i] in columns[i] for i in words)


def _read(text: str) -> tuple[list[str], list[tuple[str, ...]]]:
    """Names and columns."""
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith(REMARKS)]
    if not kept:
        raise ValueError("it has no rows")
    separator = _separator(kept)
    if separator:
        rows = csv.reader(io.StringIO("\n".join(kept)), delimiter=separator, skipinitialspace=True, strict=True)
        lines = [[cell.strip() for cell in line] for line in rows]
    else:
        lines = [line.split() for line in kept]
    for number, line in enumerate(lines, 1):
        if len(line) != len(lines[0]):
            raise ValueError(f"row {number} has {len(line)} values, the first has {len(lines[0])}")
    named = has_names(lines[:LOOKED_AT])
    names = lines[0] if named else [str(i) for i in range(1, len(lines[0]) + 1)]
    if len(set(names)) < len(names):
        raise ValueError("two columns have the same name")
    columns = list(zip(*lines[named:], strict=True))
    return names, columns


def _separator(lines: Sequence[str]) -> str | None:
    """What separates values; None: blanks. A comma may stand within quotes, so lines need not have as many."""
    regular = (mark for mark in SEPARATORS if mark in lines[0] and len({line.count(mark) for line in lines}) == 1)
    return next(regular, "," if "," in lines[0] else None)


def _label_column(names: Sequence[str], label: str | None) -> int | None:
    if label is None:
        return next((i for i, name in enumerate(names) if name.lower() in LABELS), None)
    ends = {"first": 0, "last": len(names) - 1}
    if label not in names and label not in ends:
        raise ValueError(f"label must be first, last or one of its columns {', '.join(names)}; got {label}")
    return names.index(label) if label in names else ends[label]


def _values(name: str, column: Sequence[str]) -> list[float] | list[str]:
    """A column's numbers, NaN where missing; or its words."""
    if all(map(_missing, column)):
        raise ValueError(f"column {name} is empty")
    found = [math.nan if _missing(cell) else _number(cell) for cell in column]
    numbers = [number for number in found if number is not None]
    if len(numbers) == len(found):
        if any(map(math.isinf, numbers)):
            raise ValueError(f"column {name} holds an infinite number")
        return numbers
    if len(set(column)) > MAX_CATEGORIES:
        raise ValueError(f"column {name} has {len(set(column))} different words; at most {MAX_CATEGORIES} are taken")
    return list(column)


def _missing(cell: str) -> bool:
    return cell.lower() in MISSING


def _number(cell: str) -> float | None:
    """The number that a cell holds, if it does."""
    try:
        return float(cell)
    except ValueError:
        return None
