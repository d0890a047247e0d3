"""The figure of a table's columns."""

import pytest
import torch

from fastlatent.data import TableColumn
from fastlatent.evaluate.metrics.tables import errors_by_column
from fastlatent.models import Columns


@pytest.mark.parametrize(("count", "shown"), [(3, ["c0", "c1", "c2"]), (79, [f"c{i}" for i in range(78, -1, -2)])])
def test_of_many_columns_some_are_shown_from_the_smallest_error_to_the_largest(count, shown):
    test = torch.zeros(2, count)
    ours = torch.arange(count, 0, -1.0).expand(2, -1)  # the last column has the smallest error
    described = tuple(TableColumn(f"c{i}") for i in range(count))
    axes = errors_by_column(Columns([0] * count), described, test, test, ours).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == shown
    assert ("of 79 columns" in axes.get_xlabel()) == (count == 79)
