from collections.abc import Iterator

import pytest
from fastlatent.kernels.native import library


@pytest.fixture(params=library().isas() if library() else [])
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each instruction set that this processor has, in use."""
    native = library()
    before = native.isa()
    native.use_isa(request.param)
    yield request.param
    native.use_isa(before)
