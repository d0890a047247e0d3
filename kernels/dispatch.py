"""Direct memory access: which tensors an engine may read without PyTorch's dispatcher."""

from torch import Tensor
from torch._C import _are_functorch_transforms_active as _transforms_active
from torch._C import _is_tracing, _len_torch_dispatch_stack, _len_torch_function_stack
from torch.compiler import is_compiling
from torch.nn import Parameter

PLAIN_TYPES = (Tensor, Parameter)


def is_plain(*tensors: Tensor) -> bool:
    """Return whether the memory of the tensors holds their values, and nothing has to record or change the call.

    False under torch.compile, torch.export, torch.jit.trace, torch.func, and function and dispatch modes; for
    subclasses (FakeTensor, DTensor); for views with a pending negation; and for tensors without memory (functional
    tensors, `torch._efficientzerotensor`, freed storage). An engine computes with plain tensors at once (by the
    reference on "meta"); the others take its registered operator, for which the dispatcher prepares them.
    """
    if is_compiling() or _transforms_active() or _is_tracing():
        return False
    if _len_torch_dispatch_stack() or _len_torch_function_stack():
        return False
    for x in tensors:
        if type(x) not in PLAIN_TYPES or x.is_neg():
            return False
        if not x.data_ptr() and x.numel() > 0 and not x.is_meta:
            return False
    return True
