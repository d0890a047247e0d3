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
def test_a_number_shows_two_digits_at_least(value, text):
    assert MetricResult("group", "of", value).text == text
