"""Data sets of tables: numeric columns standardized by the training rows, categorical columns as codes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_uppercase
from typing import Any, ClassVar

import numpy as np
import torch

from .batch import UNLABELED
from .dataset import Dataset, Split, split_rows
from .files import errors_naming_file, find_file

LETTER_TRAIN = 16_000  # the first rows, as in Frey & Slate 1991


@dataclass(frozen=True)
class TableColumn:
    """A column of a table.

    Args:
        name: of the column.
        categories: what a categorical one may hold; empty for a numeric one.
        mean, std: of the training rows of a numeric one; its values v are kept as (v − mean)/std.
    """

    name: str
    categories: tuple[Any, ...] = ()
    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True)
class TableDataset(Dataset):
    """A data set of rows: each split's x is (n, columns), categories being numbered from 0.

    Args:
        name, train, test, epochs, classes: as of `Dataset`.
        columns: one for each column of x.
    """

    columns: tuple[TableColumn, ...] = field(kw_only=True)
    kind: ClassVar[str] = "rows"

    @property
    def shape(self) -> tuple[int, ...]:
        """What a model is built for: the number of categories of each column, 0 for a numeric one."""
        return tuple(len(column.categories) for column in self.columns)


def table(
    name: str,
    train: np.ndarray,
    test: np.ndarray,
    labels: tuple[np.ndarray, np.ndarray],
    names: Sequence[str],
    categorical: Sequence[str] = (),
    *,
    epochs: int,
    classes: tuple[str, ...] = (),
) -> TableDataset:
    """A table from raw values.

    Categories are all that occur in either part; nothing else is taken from the test rows.

    Args:
        name, epochs, classes: as of `Dataset`.
        train, test: raw rows (n, columns) and (m, columns), of numbers or of objects; NaN where a number is missing,
            which becomes the column's mean.
        labels: of the rows, from 0; −1 where the class is not known.
        names: of the columns.
        categorical: the names of those whose values are categories.

    Raises:
        ValueError: if categorical names no column.
    """
    unknown = set(categorical) - set(names)
    if unknown:
        raise ValueError(f"categorical must name columns among {', '.join(names)}; got {', '.join(unknown)}")
    columns = tuple(
        _categories(column, values, other) if column in categorical else _standard(column, values)
        for column, values, other in zip(names, train.T, test.T, strict=True)
    )

    def split(rows: np.ndarray, label: np.ndarray) -> Split:
        x = np.stack([_coded(c, v) for c, v in zip(columns, rows.T, strict=True)], axis=1)
        return Split(torch.from_numpy(x).float(), torch.from_numpy(label).long(), white=1)

    return TableDataset(name, split(train, labels[0]), split(test, labels[1]), epochs, classes, columns=columns)


def letter(data_dir: Path | None = None) -> TableDataset:
    """UCI letter recognition: 20,000 rows of 16 integers from 0 to 15, all as categories; the letter is the label.

    Read from letter-recognition.data: lines of a letter and 16 integers, with a line of names above or without; the
    first 16,000 are for training.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: if a line is something else.
    """
    path = find_file("letter", data_dir, ("letter-recognition.data",))
    with errors_naming_file(path, "file of a letter and 16 integers a line, separated by commas"):
        lines = [line.split(",") for line in path.read_text("ascii").split()]
        if lines and len(lines[0][0]) > 1:
            lines = lines[1:]
        values = np.array([list(map(int, line[1:])) for line in lines])
        label = np.array([ascii_uppercase.index(line[0]) for line in lines])
        train, test, *_ = np.split(values, [LETTER_TRAIN])
        names = [str(i) for i in range(1, values.shape[1] + 1)]
    labels = label[:LETTER_TRAIN], label[LETTER_TRAIN:]
    return table("letter", train, test, labels, names, names, epochs=20, classes=tuple(ascii_uppercase))


def wine(data_dir: Path | None = None) -> TableDataset:
    """scikit-learn's wines: 178 rows of 13 numbers, three classes; no file needed."""
    from sklearn.datasets import load_wine

    return _bundled("wine", load_wine, epochs=160)


def breast_cancer(data_dir: Path | None = None) -> TableDataset:
    """scikit-learn's breast cancers: 569 rows of 30 numbers, two classes; no file needed."""
    from sklearn.datasets import load_breast_cancer

    return _bundled("breast-cancer", load_breast_cancer, epochs=40)


def diabetes(data_dir: Path | None = None) -> TableDataset:
    """scikit-learn's diabetes patients: 442 rows of nine numbers and a category, the sex; no class, no file needed."""
    from sklearn.datasets import load_diabetes

    def load() -> Any:
        bunch = load_diabetes(scaled=False)
        bunch.target = np.full(len(bunch.data), UNLABELED)
        return bunch

    return _bundled("diabetes", load, ("sex",), epochs=160)


def _bundled(name: str, load: Callable[[], Any], categorical: Sequence[str] = (), *, epochs: int) -> TableDataset:
    """A table of scikit-learn's, split at random with a fixed seed."""
    bunch = load()
    train, test = split_rows(len(bunch.data))
    labels = bunch.target[train], bunch.target[test]
    return table(name, bunch.data[train], bunch.data[test], labels, bunch.feature_names, categorical, epochs=epochs)


def _categories(name: str, train: np.ndarray, test: np.ndarray) -> TableColumn:
    return TableColumn(name, tuple(sorted({*train.tolist(), *test.tolist()})))


def _standard(name: str, train: np.ndarray) -> TableColumn:
    values = train.astype(np.float64)
    return TableColumn(
        name, mean=float(np.nanmean(values)), std=float(np.nanstd(values)) or 1.0
    )  # a constant: moved to 0


def _coded(column: TableColumn, values: np.ndarray) -> np.ndarray:
    if column.categories:
        number = {category: i for i, category in enumerate(column.categories)}
        return np.array([number[value] for value in values.tolist()])
    numbers = values.astype(np.float64)
    return np.where(np.isnan(numbers), 0, (numbers - column.mean) / column.std)
