from collections.abc import Iterator

import pytest

from fastlatent.kernels import native


@pytest.fixture(params=native.library().isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every instruction set that this machine has, one after the other."""
    before = native.library().isa()
    native.library().use_isa(request.param)
    yield request.param
    native.library().use_isa(before)
