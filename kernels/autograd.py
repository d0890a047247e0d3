"""Autograd for the engines, which compute value and gradients together in the forward pass.

An engine's op returns `(value, gradient of each input)`, and all of these are outputs that autograd sees. The backward
of the value is then one multiplication by a saved output; and the backward of a backward arrives here as a
cotangent of that output and goes through the reference, so that second derivatives are right.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch._C._functorch import TransformType, get_interpreter_stack


class Operation(Protocol):
    """One engine call with its options: what `evaluate` needs."""

    def run(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        """Value (batch,) and, for each input, its gradient in at least float32 (empty where not needed)."""

    def reference(self, *inputs: Tensor) -> Tensor:
        """The value in plain PyTorch, differentiable twice."""

    def library(self, inputs: Sequence[Tensor], needs: Sequence[bool]) -> tuple[Tensor, ...]:
        """The same as `run`, through the operator registered with torch.library."""


def evaluate(operation: Operation, *inputs: Tensor) -> Tensor:
    """The value of an engine call.

    In eager mode it skips the dispatcher (see `Fused`). torch.compile and vmap get the registered op; torch.func's
    derivatives, which see through no such op, the reference.
    """
    needs = [torch.is_grad_enabled() and i.requires_grad for i in inputs]
    if torch.compiler.is_compiling():
        return operation.library(inputs, needs)[0]
    if torch._C._are_functorch_transforms_active():
        if any(layer.key() != TransformType.Vmap for layer in get_interpreter_stack() or ()):
            return operation.reference(*inputs)
        return operation.library(inputs, needs)[0]
    if any(needs):
        return Fused.apply(operation, *inputs)[0]
    return operation.run(inputs, needs)[0]


class Fused(torch.autograd.Function):
    """`operation.run` with its gradients kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, *inputs: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        outputs = operation.run(inputs, ctx.needs_input_grad[1:])
        ctx.operation = operation
        ctx.save_for_backward(*inputs, *outputs[1:])
        return outputs

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        inputs, gradients = saved[: len(saved) // 2], saved[len(saved) // 2 :]
        return None, *pull_back(ctx.operation.reference, inputs, gradients, cotangents)


def pull_back(
    reference: Callable[..., Tensor],
    inputs: Sequence[Tensor],
    gradients: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Vector-Jacobian product of `(value, *gradients)` with respect to `inputs`."""
    of_value, *of_gradients = cotangents
    pulled: list[Tensor | None] = [None] * len(inputs)
    if of_value is not None:
        for k, (source, gradient) in enumerate(zip(inputs, gradients, strict=True)):
            if gradient.numel():
                scale = of_value.reshape(of_value.shape + (1,) * (gradient.dim() - of_value.dim()))
                pulled[k] = (scale * gradient).to(source.dtype)
    if any(c is not None for c in of_gradients):
        second = _second_order(reference, inputs, of_gradients)
        pulled = [a if b is None else b if a is None else a + b for a, b in zip(pulled, second, strict=True)]
    return pulled


def full_precision(inputs: Sequence[Tensor]) -> torch.autocast:
    """Switch autocast off: losses compute in at least float32."""
    return torch.autocast(inputs[0].device.type, enabled=False)


def _second_order(
    reference: Callable[..., Tensor], inputs: Sequence[Tensor], cotangents: Sequence[Tensor | None]
) -> tuple[Tensor, ...]:
    """Pull cotangents of the gradients back to the inputs, through the reference."""
    given = [k for k, c in enumerate(cotangents) if c is not None]

    def gradients(*points: Tensor) -> tuple[Tensor, ...]:
        value, pull = torch.func.vjp(reference, *points)
        pulled = pull(torch.ones_like(value))
        return tuple(pulled[k] for k in given)

    with full_precision(inputs):
        firsts, pull = torch.func.vjp(gradients, *inputs)
        return pull(tuple(cotangents[k].to(g.dtype) for k, g in zip(given, firsts, strict=True)))  # type: ignore[union-attr]


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


def register(op: Any, inputs: int, operation: Callable[..., Operation]) -> None:
    """Give an engine's custom op its fake, autograd and vmap rules.

    Args:
        op: takes `inputs` tensors, then the engine's options, then a bool per input (is its gradient needed?),
            and returns the value and the gradients.
        inputs: how many tensors it takes.
        operation: makes the `Operation` from the options.
    """

    def fake(*args: Any) -> tuple[Tensor, ...]:
        tensors, needs = args[:inputs], args[-inputs:]
        dtype = torch.promote_types(tensors[0].dtype, torch.float32)
        value = tensors[0].new_empty(tensors[0].shape[:-2], dtype=dtype)
        shapes = [t.shape if need else (0,) for t, need in zip(tensors, needs, strict=True)]
        return value, *(value.new_empty(shape) for shape in shapes)

    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.set_materialize_grads(False)
        count = len(output) - 1
        ctx.reference = operation(*inputs[count:-count]).reference
        ctx.options = len(inputs) - count
        ctx.save_for_backward(*inputs[:count], *output[1:])

    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        pulled = pull_back(ctx.reference, saved[:inputs], saved[inputs:], cotangents)
        return *pulled, *[None] * ctx.options

    def vmap(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[Any, Any]:
        tensors = [
            t.unsqueeze(0).expand(info.batch_size, *t.shape) if dim is None else t.movedim(dim, 0)
            for t, dim in zip(args[:inputs], in_dims[:inputs], strict=True)
        ]
        outputs = op(*tensors, *args[inputs:])
        return outputs, (0, *(0 if need else None for need in args[-inputs:]))

    op.register_fake(fake)
    op.register_autograd(backward, setup_context=setup_context)
    op.register_vmap(vmap)
