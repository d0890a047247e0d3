"""Tests of the GPU kernels, on a CUDA device where there is one, else under Triton's interpreter.

TRITON_INTERPRET is read when Triton is imported, and interpreted kernels cannot be compiled. So without a CUDA device
these files are left out of the main process; ../test_interpreter.py runs each in a process with TRITON_INTERPRET=1.
"""

from collections.abc import Iterator

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels import gpu

if not torch.cuda.is_available() and not gpu.interpreted():
    collect_ignore_glob = ["test_*.py"]


if gpu.interpreted():
    import triton.language as tl
    from triton.runtime import interpreter

    patch_tensor = interpreter._patch_lang_tensor

    def patch_tensor_for_numpy(tensor: type[tl.tensor], scope: interpreter._LangPatchScope) -> None:
        """NumPy 2.4 takes no array of one number for a number, as which the interpreter passes bounds of loops."""
        patch_tensor(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.item()))

    multiply = interpreter.InterpreterBuilder.create_dot

    def multiply_bfloat16(self, a, b, *others):
        """The interpreter keeps bfloat16 as the 16-bit integers that hold it, and would multiply these."""
        if a.dtype.scalar == tl.bfloat16:
            a, b = (self.cast_impl(operand, tl.float32) for operand in (a, b))
        return multiply(self, a, b, *others)

    interpreter._patch_lang_tensor = patch_tensor_for_numpy
    interpreter.InterpreterBuilder.create_dot = multiply_bfloat16


@pytest.fixture
def device() -> str:
    """Where the kernels run: "cuda", or "cpu" under the interpreter, which wants few and small problems."""
    return "cpu" if gpu.interpreted() else "cuda"


@pytest.fixture(autouse=True)
def on_triton() -> Iterator[None]:
    """Every loss is served by Triton, or the test fails."""
    with fl.use_backend("triton"):
        yield
