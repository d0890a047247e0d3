"""Corrections and accelerations of Triton's interpreter; imported only where TRITON_INTERPRET=1."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import triton.language as tl
from triton.runtime import interpreter


def patch() -> None:
    """Correct and accelerate the interpreter; results of kernels that it already runs correctly stay the same."""
    _correct_loop_bounds()
    _correct_bfloat16_dot()
    _patch_language_once_per_launch()
    _reduce_by_slices()


def _correct_loop_bounds() -> None:
    """Convert one-element arrays to integers, which NumPy 2.4 refuses: the interpreter's loop bounds are arrays."""
    patch_tensor = interpreter._patch_lang_tensor

    def patch_lang_tensor(tensor: type[tl.tensor], scope: Any) -> None:
        patch_tensor(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.item()))

    interpreter._patch_lang_tensor = patch_lang_tensor


def _correct_bfloat16_dot() -> None:
    """Widen bfloat16 operands: the interpreter stores them as 16-bit integers and would multiply these."""
    original = interpreter.InterpreterBuilder.create_dot

    def create_dot(self: Any, a: Any, b: Any, *others: Any) -> Any:
        if a.dtype.scalar == tl.bfloat16:
            a, b = (self.cast_impl(operand, tl.float32) for operand in (a, b))
        return original(self, a, b, *others)

    interpreter.InterpreterBuilder.create_dot = create_dot


def _patch_language_once_per_launch() -> None:
    """Skip triton.language where it is patched already: the interpreter patches it again at each device function."""
    original = interpreter._patch_lang

    def patch_lang(fn: Any) -> Any:
        modules = [value for value in fn.__globals__.values() if value is tl or value is tl.core]
        if any(tl.core.is_builtin(module.load) for module in modules):
            return original(fn)
        return interpreter._LangPatchScope()

    interpreter._patch_lang = patch_lang


def _reduce_by_slices() -> None:
    """Fold whole slices along the axis: the interpreter folds element by element, in the same order."""

    original = interpreter.ReduceOps.generic_reduce

    def generic_reduce(self: Any, inputs: tuple[tl.tensor, ...]) -> list[tl.tensor]:
        if self.axis is None:
            return original(self, inputs)

        def tensors(arrays: Iterable[np.ndarray]) -> list[tl.tensor]:
            return [self.to_tensor(array, x.dtype) for array, x in zip(arrays, inputs, strict=True)]

        shape = inputs[0].handle.data.shape
        result = tensors(x.handle.data.take(0, self.axis) for x in inputs)
        for k in range(1, shape[self.axis]):
            combined = self.combine_fn.fn(*result, *tensors(x.handle.data.take(k, self.axis) for x in inputs))
            combined = combined if isinstance(combined, tuple) else (combined,)
            result = tensors(x.handle.data for x in combined)
        reduced = list(shape)
        reduced[self.axis : self.axis + 1] = [1] if self.keep_dims else []
        return tensors(x.handle.data.reshape(reduced) for x in result)

    interpreter.ReduceOps.generic_reduce = generic_reduce
