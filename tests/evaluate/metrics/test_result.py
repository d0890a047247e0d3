"""Text of metric results."""

import pytest

from fastlatent.evaluate import MetricResult


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5000"),
        (-12.34567, "-12.3457"),
        (0.001, "0.0010"),
        (0.00034, "3.4e-04"),
        (-0.00034, "-3.4e-04"),
        (0.0, "0.0000"),
    ],
)
def test_text_has_at_least_two_significant_digits(value, text):
    assert MetricResult("group", "label", value).text == text
