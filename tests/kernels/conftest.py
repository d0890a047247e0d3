"""Fixtures of the kernel tests: instruction sets of the CPU, and the device on which Triton kernels run."""

from collections.abc import Iterator

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels import gpu, native
from tests.kernels.harness import interpretable

if gpu.interpreted():
    from tests.kernels.harness import interpreter

    interpreter.patch()
elif not torch.cuda.is_available():
    collect_ignore = interpretable.FILES


@pytest.fixture(params=native.module().isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every instruction set that this machine has, one after the other."""
    before = native.module().isa()
    native.module().use_isa(request.param)
    yield request.param
    native.module().use_isa(before)


@pytest.fixture
def device() -> str:
    """Device of the Triton kernels: "cuda", or "cpu" under the interpreter, which is slow: problems must be small."""
    if not gpu.interpreted() and not torch.cuda.is_available():  # of a file named on the command line
        pytest.skip("needs a CUDA device, or TRITON_INTERPRET=1")
    return "cpu" if gpu.interpreted() else "cuda"


@pytest.fixture
def on_triton() -> Iterator[None]:
    """Force the Triton backend: a loss that it does not support is an error."""
    with fl.use_backend("triton"):
        yield


@pytest.fixture
def without_native(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate an installation without the native module."""
    monkeypatch.setattr(native, "module", lambda: None)
