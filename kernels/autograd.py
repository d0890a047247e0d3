"""Autograd of the engines, whose forward pass computes the value and the gradients together.

The backward pass is one multiplication. If it must itself be differentiable (`create_graph=True`), it differentiates
the reference instead: second derivatives are right, at the speed of the reference.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import TransformType, get_interpreter_stack, get_unwrapped, is_batchedtensor

from .backend import select_backend
from .dispatch import is_plain
from .precision import accumulation_dtype, autocast_disabled, widen


class Operation(ABC):
    """One engine call with its options; subclasses are frozen dataclasses of the options."""

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Compute the value (...,) of the inputs, in float32 for half precision."""
        return evaluate(self, *inputs)

    def compute(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients with the fastest backend that supports the call.

        Args:
            inputs: the tensors of the call.
            needs_grad: for each input, whether its gradient is computed.

        Returns:
            The value (...,) and, for each input, its gradient in at least float32 (empty if not needed).
        """
        call = self.resolve(inputs)
        backend = select_backend(call.engine, call.unsupported_reasons(inputs, needs_grad))
        if backend == "reference":
            return compute_by_reference(self.reference, inputs, needs_grad)
        return call.launch(backend, inputs, needs_grad)

    def resolve(self, inputs: Sequence[Tensor]) -> "Operation":
        """Return this operation with automatic options replaced by those for the inputs."""
        return self

    @property
    @abstractmethod
    def engine(self) -> str:
        """Name of the engine in explanations and errors."""

    @abstractmethod
    def reference(self, *inputs: Tensor) -> Tensor:
        """Compute the value in plain PyTorch, differentiable twice."""

    @abstractmethod
    def unsupported_reasons(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> Mapping[str, str | None]:
        """Return, fastest backend first, why each does not support the call; None if it does."""

    @abstractmethod
    def launch(self, backend: str, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute value and gradients with that backend."""

    @abstractmethod
    def dispatch(self, inputs: Sequence[Tensor], needs_grad: Sequence[bool]) -> tuple[Tensor, ...]:
        """Compute the same through the operator registered with torch.library."""


def evaluate(operation: Operation, *inputs: Tensor) -> Tensor:
    """Compute the value of an engine call; of plain tensors without the dispatcher, whose cost equals the call's."""
    if not is_plain(*inputs):
        return _evaluate_dispatched(operation, inputs)
    if torch.is_grad_enabled():
        for x in inputs:
            if x.requires_grad:
                return FusedFunction.apply(operation, *inputs)
    return operation.compute(inputs, (False,) * len(inputs))[0]


def _evaluate_dispatched(operation: Operation, inputs: tuple[Tensor, ...]) -> Tensor:
    """Call the registered op; under derivatives of torch.func, which cannot differentiate through it, the reference."""
    if differentiated_by_func():
        return operation.reference(*inputs)
    needs_grad = [torch.is_grad_enabled() and _requires_grad(i) for i in inputs]
    return operation.dispatch(inputs, needs_grad)[0]


def differentiated_by_func() -> bool:
    """Return whether a derivative of torch.func is active, not only torch.vmap or torch.func.functionalize."""
    return not torch.compiler.is_compiling() and any(
        layer.key() in (TransformType.Grad, TransformType.Jvp) for layer in get_interpreter_stack() or ()
    )


def _requires_grad(x: Tensor) -> bool:
    while not torch.compiler.is_compiling() and is_batchedtensor(x):  # requires_grad is False on the wrapper
        x = get_unwrapped(x)
    return x.requires_grad


class FusedFunction(torch.autograd.Function):
    """`Operation.compute`, whose gradients are saved for the backward pass."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, *inputs: Tensor) -> Tensor:
        """Compute the value and save inputs and gradients."""
        value, *gradients = operation.compute(inputs, ctx.needs_input_grad[1:])
        ctx.operation = operation
        ctx.save_for_backward(*inputs, *gradients)
        return value

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        """Multiply the saved gradients by the cotangent."""
        return None, *_backward(ctx.operation.reference, ctx.saved_tensors, ctx.needs_input_grad[1:], cotangent)


def _backward(
    reference: Callable[..., Tensor],
    saved: Sequence[Tensor],
    needs_grad: Sequence[bool],
    cotangent: Tensor,
    by_reference: bool = False,
) -> list[Tensor | None]:
    """Return the cotangents of the inputs, from the saved inputs and gradients."""
    inputs, gradients = saved[: len(needs_grad)], saved[len(needs_grad) :]
    if by_reference or torch.is_grad_enabled():
        return differentiable_backward(reference, inputs, needs_grad, cotangent)
    return scale_gradients(gradients, needs_grad, cotangent, inputs[0].dtype)


def scale_gradients(
    gradients: Sequence[Tensor], needs_grad: Sequence[bool], cotangent: Tensor, dtype: torch.dtype
) -> list[Tensor | None]:
    """Multiply gradients (..., n, d) by the cotangent (...,) of the value, in the dtype of the inputs."""
    if cotangent.dim():
        cotangent = cotangent[..., None, None]
    return [
        (cotangent * gradient).to(dtype) if need else None for gradient, need in zip(gradients, needs_grad, strict=True)
    ]


def differentiable_backward(
    reference: Callable[..., Tensor], inputs: Sequence[Tensor], needs_grad: Sequence[bool], cotangent: Tensor
) -> list[Tensor | None]:
    """Compute the same by differentiating the reference, as a differentiable function of inputs and cotangent."""
    with torch.enable_grad(), autocast_disabled(inputs[0]):
        value = reference(*inputs)
        leaves = [i for i, need in zip(inputs, needs_grad, strict=True) if need]
        gradients = iter(torch.autograd.grad(value, leaves, cotangent, create_graph=True, allow_unused=True))
    return [next(gradients) if need else None for need in needs_grad]


def compute_by_reference(
    reference: Callable[..., Tensor], inputs: Sequence[Tensor], needs_grad: Sequence[bool]
) -> tuple[Tensor, ...]:
    """Compute the result of `Operation.compute` by differentiating the reference."""
    with _recording(), autocast_disabled(inputs[0]):
        leaves = [widen(i.detach()).detach().requires_grad_(need) for i, need in zip(inputs, needs_grad, strict=True)]
        value = reference(*leaves)
        differentiated = [leaf for leaf in leaves if leaf.requires_grad]
        computed = iter(torch.autograd.grad(value.sum(), differentiated) if differentiated else ())
        gradients = [next(computed) if need else value.new_empty(0) for need in needs_grad]
    return value.detach(), *(g.detach() for g in gradients)


@contextlib.contextmanager
def _recording() -> Iterator[None]:
    """Record gradients inside a registered op too, which runs below the dispatcher's autograd layer."""
    keys = torch._C.DispatchKey
    excluded = torch._C._dispatch_tls_local_exclude_set()
    for key in (keys.AutogradFunctionality, keys.AutogradOther, keys.ADInplaceOrView):
        excluded = excluded.remove(key)
    included = torch._C._dispatch_tls_local_include_set()
    with torch._C._ForceDispatchKeyGuard(included, excluded), torch.enable_grad():
        yield


def register(op: Any, num_tensors: int, operation: Callable[..., Operation]) -> None:
    """Register the fake, autograd and vmap rules of an engine's custom op.

    Args:
        op: takes `num_tensors` tensors, then the options, then for each tensor whether its gradient is needed;
            returns the value and the gradients.
        num_tensors: number of tensor arguments.
        operation: constructs the `Operation` from the options.
    """

    def fake(*args: Any) -> tuple[Tensor, ...]:
        inputs, needs_grad = args[:num_tensors], args[-num_tensors:]
        value = inputs[0].new_empty(inputs[0].shape[:-2], dtype=accumulation_dtype(inputs[0].dtype))
        shapes = [i.shape if need else (0,) for i, need in zip(inputs, needs_grad, strict=True)]
        return value, *(value.new_empty(shape) for shape in shapes)

    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.computed = inputs[-num_tensors:]
        ctx.reference = operation(*inputs[num_tensors:-num_tensors]).reference
        ctx.save_for_backward(*inputs[:num_tensors], *output[1:])

    def backward(ctx: Any, cotangent: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        needs_grad = ctx.needs_input_grad[:num_tensors]
        # a traced graph may have been recorded without the gradients that a later call needs
        missing = any(need and not computed for need, computed in zip(needs_grad, ctx.computed, strict=True))
        cotangents = _backward(ctx.reference, ctx.saved_tensors, needs_grad, cotangent, by_reference=missing)
        return *cotangents, *[None] * (len(ctx.needs_input_grad) - num_tensors)

    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[Any, Any]:
        outputs = op(*batched(info.batch_size, in_dims, args[:num_tensors]), *args[num_tensors:])
        return outputs, (0, *(0 if need else None for need in args[-num_tensors:]))

    op.register_fake(fake)
    op.register_autograd(backward, setup_context=setup_context)
    op.register_vmap(vmap)


def batched(size: int, in_dims: Sequence[int | None], tensors: Sequence[Tensor]) -> list[Tensor]:
    """Move the dimension mapped by vmap to the front; expand tensors without one."""
    return [
        t.expand(size, *t.shape) if dim is None else t.movedim(dim, 0)
        for t, dim in zip(tensors, in_dims[: len(tensors)], strict=True)
    ]
