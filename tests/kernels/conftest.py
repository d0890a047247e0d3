from collections.abc import Iterator

import pytest

from fastlatent.kernels import native


@pytest.fixture(params=native.module().isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every instruction set that this machine has, one after the other."""
    before = native.module().isa()
    native.module().use_isa(request.param)
    yield request.param
    native.module().use_isa(before)
