"""Triton's interpreter: the tests that it runs on a machine without a CUDA device, and corrections of its semantics.

TRITON_INTERPRET is read when Triton is imported, and interpreted kernels cannot be compiled. So without a CUDA device
FILES are not collected in the main process; test_interpreter.py runs each in a process with TRITON_INTERPRET=1.
"""

from pathlib import Path

TESTS = Path(__file__).parents[1]
FILES = sorted([*TESTS.glob("*/triton/test_kernels.py"), TESTS / "test_split_bf16.py"])


def patch() -> None:
    """Correct the interpreter: sizes of loops with NumPy 2.4, products of bfloat16 numbers."""
    import triton.language as tl
    from triton.runtime import interpreter

    patch_tensor = interpreter._patch_lang_tensor

    def patch_tensor_for_numpy(tensor: type[tl.tensor], scope: interpreter._LangPatchScope) -> None:
        """Convert one-element arrays to integers, which NumPy 2.4 refuses: the interpreter's loop bounds are arrays."""
        patch_tensor(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.item()))

    create_dot = interpreter.InterpreterBuilder.create_dot

    def create_dot_bfloat16(self, a, b, *others):
        """Widen bfloat16 operands: the interpreter stores them as 16-bit integers and would multiply these."""
        if a.dtype.scalar == tl.bfloat16:
            a, b = (self.cast_impl(operand, tl.float32) for operand in (a, b))
        return create_dot(self, a, b, *others)

    interpreter._patch_lang_tensor = patch_tensor_for_numpy
    interpreter.InterpreterBuilder.create_dot = create_dot_bfloat16
