"""Tables bundled with scikit-learn."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..batch import UNLABELED
from ..dataset import split_rows
from ..tables import TableDataset, build_table


def wine(data_dir: Path | None = None) -> TableDataset:
    """Load scikit-learn's wines: 178 rows of 13 numeric columns, three classes; no file is needed."""
    from sklearn.datasets import load_wine

    return _build("wine", load_wine(), epochs=160)


def breast_cancer(data_dir: Path | None = None) -> TableDataset:
    """Load scikit-learn's breast cancers: 569 rows of 30 numeric columns, two classes; no file is needed."""
    from sklearn.datasets import load_breast_cancer

    return _build("breast-cancer", load_breast_cancer(), epochs=40)


def diabetes(data_dir: Path | None = None) -> TableDataset:
    """Load scikit-learn's diabetes patients: 442 rows of nine numeric columns and the categorical sex, unlabeled.

    No file is needed.
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    bunch.target = np.full(len(bunch.data), UNLABELED)
    return _build("diabetes", bunch, ("sex",), epochs=160)


def _build(name: str, bunch: Any, categorical: Sequence[str] = (), *, epochs: int) -> TableDataset:
    train, test = split_rows(len(bunch.data))
    labels = bunch.target[train], bunch.target[test]
    return build_table(
        name, bunch.data[train], bunch.data[test], labels, bunch.feature_names, categorical, epochs=epochs
    )
