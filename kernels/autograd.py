"""Autograd for the engines, which compute value and gradients together in the forward pass.

The backward pass is then one multiplication. Where it must itself be differentiable (`create_graph=True`), it goes
through the reference instead: second derivatives are right, at the reference's speed.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch._C._functorch import TransformType, get_interpreter_stack, get_unwrapped, is_batchedtensor


class Operation(Protocol):
    """One engine call with its options: what `evaluate` needs."""

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        """Value (batch,) and, for each input, its gradient in at least float32 (empty where not needed)."""

    @property
    def reference(self) -> Callable[..., Tensor]:
        """The value of the inputs in plain PyTorch, differentiable twice."""

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        """The same as `run`, through the operator registered with torch.library."""


def evaluate(operation: Operation, *inputs: Tensor) -> Tensor:
    """The value of an engine call; in eager mode without a detour over the dispatcher, which costs as much again."""
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return _transformed(operation, inputs)
    if torch.is_grad_enabled() and any(i.requires_grad for i in inputs):
        return Fused.apply(operation, *inputs)
    return operation.run(inputs, (False,) * len(inputs))[0]


def _transformed(operation: Operation, inputs: tuple[Tensor, ...]) -> Tensor:
    """torch.compile and vmap get the registered op; torch.func's derivatives, which see into no op, the reference."""
    if differentiated_by_func():
        return operation.reference(*inputs)
    needs = [torch.is_grad_enabled() and _requires_grad(i) for i in inputs]
    return operation.library(inputs, needs)[0]


def differentiated_by_func() -> bool:
    """Whether a derivative of torch.func is being taken, not only torch.vmap."""
    return not torch.compiler.is_compiling() and any(
        layer.key() != TransformType.Vmap for layer in get_interpreter_stack() or ()
    )


def _requires_grad(x: Tensor) -> bool:
    while not torch.compiler.is_compiling() and is_batchedtensor(x):  # which does not say so of what it holds
        x = get_unwrapped(x)
    return x.requires_grad


class Fused(torch.autograd.Function):
    """`operation.run`, with its gradients kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, *inputs: Tensor) -> Tensor:
        value, *gradients = operation.run(inputs, ctx.needs_input_grad[1:])
        ctx.operation = operation
        ctx.save_for_backward(*inputs, *gradients)
        return value

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        return None, *_backward(ctx.operation.reference, ctx.saved_tensors, ctx.needs_input_grad[1:], cotangent)


def _backward(
    reference: Callable[..., Tensor], saved: Sequence[Tensor], needs: Sequence[bool], cotangent: Tensor
) -> list[Tensor | None]:
    """The gradients of the inputs, from what forward saved: the inputs, then their gradients."""
    inputs, gradients = saved[: len(needs)], saved[len(needs) :]
    if torch.is_grad_enabled():
        return differentiable_pull_back(reference, inputs, needs, cotangent)
    return pull_back(gradients, needs, cotangent, inputs[0].dtype)


def pull_back(
    gradients: Sequence[Tensor], needs: Sequence[bool], cotangent: Tensor, dtype: torch.dtype
) -> list[Tensor | None]:
    """Cotangent of the value (...,) times the gradients (..., n, d), in the dtype of the inputs."""
    if cotangent.dim():
        cotangent = cotangent[..., None, None]
    return [(cotangent * gradient).to(dtype) if need else None for gradient, need in zip(gradients, needs, strict=True)]


def differentiable_pull_back(
    reference: Callable[..., Tensor], inputs: Sequence[Tensor], needs: Sequence[bool], cotangent: Tensor
) -> list[Tensor | None]:
    """The same through the reference, as a function of inputs and cotangent that can be differentiated again."""
    with torch.enable_grad(), full_precision(inputs):
        value = reference(*inputs)
        wanted = [i for i, need in zip(inputs, needs, strict=True) if need]
        pulled = iter(torch.autograd.grad(value, wanted, cotangent, create_graph=True, allow_unused=True))
    return [next(pulled) if need else None for need in needs]


def full_precision(inputs: Sequence[Tensor]) -> contextlib.AbstractContextManager:
    """Switch autocast off, where the device has it: losses compute in at least float32."""
    device = inputs[0].device.type
    return (
        torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else contextlib.nullcontext()
    )


def by_reference(
    reference: Callable[..., Tensor], inputs: Sequence[Tensor], needs: Sequence[bool]
) -> tuple[Tensor, ...]:
    """What `Operation.run` returns, by differentiating the reference."""
    with _recording(), full_precision(inputs):
        leaves = [
            i.detach().to(torch.promote_types(i.dtype, torch.float32)).detach().requires_grad_(need)
            for i, need in zip(inputs, needs, strict=True)
        ]
        value = reference(*leaves)
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        found = iter(torch.autograd.grad(value.sum(), wanted) if wanted else ())
        gradients = [next(found) if need else value.new_empty(0) for need in needs]
    return value.detach(), *(g.detach() for g in gradients)


@contextlib.contextmanager
def _recording() -> Iterator[None]:
    """Record gradients even where a registered op runs, below the dispatcher's autograd layer."""
    keys = torch._C.DispatchKey
    excluded = torch._C._dispatch_tls_local_exclude_set()
    for key in (keys.AutogradFunctionality, keys.AutogradOther, keys.ADInplaceOrView):
        excluded = excluded.remove(key)
    included = torch._C._dispatch_tls_local_include_set()
    with torch._C._ForceDispatchKeyGuard(included, excluded), torch.enable_grad():
        yield


def register(op: Any, tensors: int, operation: Callable[..., Operation]) -> None:
    """Give an engine's custom op its fake, autograd and vmap rules.

    Args:
        op: takes `tensors` tensors, then the engine's options, then a bool per tensor (is its gradient needed?),
            and returns the value and the gradients.
        tensors: how many tensors it takes.
        operation: makes the `Operation` from the options.
    """

    def fake(*args: Any) -> tuple[Tensor, ...]:
        inputs, needs = args[:tensors], args[-tensors:]
        dtype = torch.promote_types(inputs[0].dtype, torch.float32)
        value = inputs[0].new_empty(inputs[0].shape[:-2], dtype=dtype)
        shapes = [i.shape if need else (0,) for i, need in zip(inputs, needs, strict=True)]
        return value, *(value.new_empty(shape) for shape in shapes)

    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.reference = operation(*inputs[tensors:-tensors]).reference
        ctx.save_for_backward(*inputs[:tensors], *output[1:])

    def backward(ctx: Any, cotangent: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        pulled = _backward(ctx.reference, ctx.saved_tensors, ctx.needs_input_grad[:tensors], cotangent)
        return *pulled, *[None] * (len(ctx.needs_input_grad) - tensors)

    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[Any, Any]:
        outputs = op(*batched(info.batch_size, in_dims, args[:tensors]), *args[tensors:])
        return outputs, (0, *(0 if need else None for need in args[-tensors:]))

    op.register_fake(fake)
    op.register_autograd(backward, setup_context=setup_context)
    op.register_vmap(vmap)


def batched(size: int, in_dims: Sequence[int | None], tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors with the dimension that vmap maps over in front, repeated where a tensor has none."""
    return [
        t.expand(size, *t.shape) if dim is None else t.movedim(dim, 0)
        for t, dim in zip(tensors, in_dims[: len(tensors)], strict=True)
    ]
