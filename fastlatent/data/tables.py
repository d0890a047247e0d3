"""Tabular data sets: numeric columns standardized by the training rows, categorical columns as codes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch

from .dataset import Dataset, Split


@dataclass(frozen=True)
class TableColumn:
    """Column of a table.

    Args:
        name: name of the column.
        categories: values of a categorical column, in order of their codes; empty for a numeric column.
        mean: mean μ of a numeric column over the training rows.
        std: standard deviation σ of a numeric column over the training rows; a value v is stored as (v − μ)/σ.
    """

    name: str
    categories: tuple[Any, ...] = ()
    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True)
class TableDataset(Dataset):
    """Tabular data set: x (n, columns) of each split has categories as codes from 0.

    Args:
        name: see `Dataset`.
        train: see `Dataset`.
        test: see `Dataset`.
        epochs: see `Dataset`.
        classes: see `Dataset`.
        columns: one for each column of x.
    """

    columns: tuple[TableColumn, ...] = field(kw_only=True)
    kind: ClassVar[str] = "rows"

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of categories of each column, 0 for a numeric one, from which a model is built."""
        return tuple(len(column.categories) for column in self.columns)


def build_table(
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
    """Build a data set from raw values.

    Categories are those of both splits; nothing else depends on the test rows.

    Args:
        name: see `Dataset`.
        train: raw training rows (n, columns), numbers or objects; a missing number is NaN and becomes the mean.
        test: raw test rows (m, columns).
        labels: labels of the training rows (n,) and the test rows (m,), from 0; `UNLABELED` if the class is unknown.
        names: names of the columns.
        categorical: names of the categorical columns.
        epochs: see `Dataset`.
        classes: see `Dataset`.

    Raises:
        ValueError: if `categorical` has a name that is not in `names`.
    """
    unknown = set(categorical) - set(names)
    if unknown:
        raise ValueError(f"categorical must name columns among {', '.join(names)}; got {', '.join(unknown)}")
    columns = tuple(
        _categorical_column(column, train_values, test_values)
        if column in categorical
        else _numeric_column(column, train_values)
        for column, train_values, test_values in zip(names, train.T, test.T, strict=True)
    )

    def split(rows: np.ndarray, label: np.ndarray) -> Split:
        x = np.stack([_encode(c, v) for c, v in zip(columns, rows.T, strict=True)], axis=1)
        return Split(torch.from_numpy(x).float(), torch.from_numpy(label).long(), max_value=1)

    return TableDataset(name, split(train, labels[0]), split(test, labels[1]), epochs, classes, columns=columns)


def _categorical_column(name: str, train: np.ndarray, test: np.ndarray) -> TableColumn:
    return TableColumn(name, tuple(sorted({*train.tolist(), *test.tolist()})))


def _numeric_column(name: str, train: np.ndarray) -> TableColumn:
    values = train.astype(np.float64)
    std = float(np.nanstd(values)) or 1.0  # a constant column is only centered
    return TableColumn(name, mean=float(np.nanmean(values)), std=std)


def _encode(column: TableColumn, values: np.ndarray) -> np.ndarray:
    if column.categories:
        codes = {category: i for i, category in enumerate(column.categories)}
        return np.array([codes[value] for value in values.tolist()])
    numbers = values.astype(np.float64)
    return np.where(np.isnan(numbers), 0, (numbers - column.mean) / column.std)
