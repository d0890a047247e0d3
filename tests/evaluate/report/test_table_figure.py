"""Figure of the columns of a table."""

import pytest
import torch

from fastlatent.data import TableColumn
from fastlatent.evaluate.metrics.reconstruction import column_errors
from fastlatent.evaluate.report.table_figure import errors_by_column
from fastlatent.models import Columns


@pytest.mark.parametrize(("count", "names"), [(3, ["c0", "c1", "c2"]), (79, [f"c{i}" for i in range(78, -1, -2)])])
def test_at_most_40_columns_are_drawn_in_order_of_their_error(count, names):
    test = torch.zeros(2, count)
    reconstruction = torch.arange(count, 0, -1.0).expand(2, -1)  # the last column has the smallest error
    errors = column_errors(Columns([0] * count), test, reconstruction)
    table_columns = tuple(TableColumn(f"c{i}") for i in range(count))
    axes = errors_by_column(table_columns, errors, torch.zeros(count)).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    assert ("of 79 columns" in axes.get_xlabel()) == (count == 79)
