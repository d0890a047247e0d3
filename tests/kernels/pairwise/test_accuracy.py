"""Errors of the pairwise engine against float64 truth, for samples of any shape, scale and offset."""

import pytest
from hypothesis import example, given, settings

from tests.truth.cases import CASES
from tests.truth.clouds import Clouds, clouds
from tests.truth.errors import assert_errors_small

pytestmark = pytest.mark.slow

BACKENDS = ("reference", "cpu")


@pytest.mark.parametrize("case", CASES, ids=str)
@given(points=clouds())
@example(points=Clouds(97, 95, 3, offset=1e4))
@example(points=Clouds(289, 193, 19))
@settings(max_examples=6, deadline=None)
def test_error_at_most_twice_that_of_pytorch(case, points):
    assert_errors_small(case, points, BACKENDS)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("rbf-unbiased", Clouds(96, 2, 1000, duplicates=True)),
        ("imq-9-biased", Clouds(2, 47, 4, scale=30.0, duplicates=True)),
    ],
)
def test_duplicates_under_a_narrow_kernel(name, points):
    assert_errors_small(next(c for c in CASES if c.name == name), points, BACKENDS)
