"""Argument checks that the losses share: each error names the argument, what came and what is allowed."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from ..kernels.dispatch import is_plain

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
# Subclasses of PyTorch whose operators do not include those of the losses, and the conversion to a tensor.
UNSUPPORTED_TYPES = {"DTensor": ".full_tensor(), or .to_local() with group=", "MaskedTensor": ".to_tensor(value)"}


def sample(name: str, x: Tensor, least: int = 1) -> None:
    """Require a dense floating tensor (..., n, d) with n ≥ `least` points and d ≥ 1.

    Raises:
        TypeError: if it is no tensor.
        ValueError: otherwise.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor of shape (..., n, d); got {type(x).__name__}")
    if x.dtype not in DTYPES:
        raise ValueError(f"{name} must be float64, float32, bfloat16 or float16; got {x.dtype}")
    if x.layout is not torch.strided:
        raise ValueError(f"{name} must be a dense tensor (call .to_dense()); got layout {x.layout}")
    if x.is_nested:
        raise ValueError(f"{name} must be a dense tensor (call .to_padded_tensor()); got a nested tensor")
    if type(x).__name__ in UNSUPPORTED_TYPES:
        conversion = UNSUPPORTED_TYPES[type(x).__name__]
        raise TypeError(f"{name} must be a plain torch.Tensor (call {conversion}); got {type(x).__name__}")
    if x.dim() < 2:
        raise ValueError(f"{name} must have shape (..., n, d), at least 2 dimensions; got shape {tuple(x.shape)}")
    if x.shape[-1] < 1:
        raise ValueError(f"{name} must have d >= 1 coordinates a point; got shape {tuple(x.shape)}")
    if x.shape[-2] < least:
        why = f"n >= {least} points" + (" (estimator='unbiased' leaves out the diagonal)" if least > 1 else "")
        raise ValueError(f"{name} must have {why}; got shape {tuple(x.shape)}")
    if 0 in x.shape[:-2]:
        raise ValueError(f"{name} must not have an empty batch; got shape {tuple(x.shape)}")


def samples(x: Tensor, y: Tensor, least: int = 1) -> None:
    """Require two samples (..., n, d) and (..., m, d) that agree in batch, d, dtype and device.

    Raises:
        TypeError: if one is no tensor.
        ValueError: otherwise.
    """
    sample("x", x, least)
    sample("y", y, least)
    if x.shape[:-2] != y.shape[:-2] or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "x (..., n, d) and y (..., m, d) must agree in all but their number of points; "
            f"got shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    if x.dtype != y.dtype:
        raise ValueError(f"x and y must have the same dtype; got {x.dtype} and {y.dtype}")
    if x.device != y.device:
        raise ValueError(f"x and y must be on the same device; got {x.device} and {y.device}")


def positive(name: str, value: float) -> float:
    """Require a finite number > 0."""
    return _number(name, value, value_ok=lambda v: v > 0, allowed="a finite number > 0")


def non_negative(name: str, value: float) -> float:
    """Require a finite number ≥ 0."""
    return _number(name, value, value_ok=lambda v: v >= 0, allowed="a finite number >= 0")


def at_least(name: str, value: float, least: float) -> float:
    """Require a finite number ≥ `least`."""
    return _number(name, value, value_ok=lambda v: v >= least, allowed=f"a finite number >= {least}")


def projections(theta: Tensor, x: Tensor) -> None:
    """Require directions (d, L) for the points of x (..., n, d), on their device.

    Raises:
        TypeError: if it is no tensor.
        ValueError: otherwise.
    """
    if not isinstance(theta, Tensor):
        raise TypeError(f"projections must be a torch.Tensor of shape (d, L); got {type(theta).__name__}")
    if theta.dim() != 2 or theta.shape[0] != x.shape[-1] or theta.shape[1] < 1 or theta.dtype not in DTYPES:
        raise ValueError(
            f"projections must be floating with shape (d, L), d = {x.shape[-1]} as in x, L >= 1; "
            f"got {theta.dtype} of shape {tuple(theta.shape)}"
        )
    if theta.device != x.device:
        raise ValueError(f"projections and x must be on the same device; got {theta.device} and {x.device}")


def weights(name: str, w: Tensor | None, x: Tensor) -> None:
    """Require masses (n,) or (..., n) for the points of x (..., n, d), ≥ 0 and not all 0; None is allowed.

    The values are looked at only where that is free of synchronization, on a CPU, and not while tracing.

    Raises:
        TypeError: if it is no tensor.
        ValueError: otherwise.
    """
    if w is None:
        return
    if not isinstance(w, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor of shape (..., n) or None; got {type(w).__name__}")
    if w.dtype not in DTYPES or w.device != x.device or w.shape not in (x.shape[:-1], x.shape[-2:-1]):
        raise ValueError(
            f"{name} must be floating, on {x.device}, a weight a point: shape {tuple(x.shape[:-1])} or "
            f"{tuple(x.shape[-2:-1])}; got {w.dtype} on {w.device} of shape {tuple(w.shape)}"
        )
    if w.device.type == "cpu" and is_plain(w):
        low, totals = w.min().item(), w.sum(-1)
        if low < 0 or not (totals > 0).all():
            raise ValueError(f"{name} must be >= 0, not all 0; got a smallest weight {low}, sums {totals.tolist()}")


def fraction(name: str, value: float) -> float:
    """Require a number in [0, 1)."""
    return _number(name, value, value_ok=lambda v: 0 <= v < 1, allowed="a number in [0, 1)")


def positives(name: str, values: Iterable[float]) -> tuple[float, ...]:
    """Require one or more finite numbers > 0."""
    try:
        numbers = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a sequence of numbers > 0; got {values!r}") from None
    if not numbers or not all(math.isfinite(v) and v > 0 for v in numbers):
        raise ValueError(f"{name} must be one or more finite numbers > 0; got {values!r}")
    return numbers


def count(name: str, value: int, least: int = 1) -> int:
    """Require an integer ≥ `least`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer >= {least}; got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be an integer >= {least}; got {value}")
    return value


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """Require one of the allowed names."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {value!r}")
    return value


def _number(name: str, value: float, value_ok: Callable[[float], bool], allowed: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {allowed}; got {value!r}")
    if not (math.isfinite(value) and value_ok(value)):
        raise ValueError(f"{name} must be {allowed}; got {value!r}")
    return float(value)


def square(name: str, a: Tensor) -> None:
    """Require a dense floating tensor (..., d, d) with d ≥ 1.

    Raises:
        TypeError: if it is no tensor.
        ValueError: otherwise.
    """
    sample(name, a)
    if a.shape[-1] != a.shape[-2]:
        raise ValueError(f"{name} must have shape (..., d, d); got shape {tuple(a.shape)}")


def alike(tensors: Mapping[str, Tensor]) -> None:
    """Require tensors of one dtype on one device.

    Raises:
        TypeError: if one is no tensor.
        ValueError: otherwise.
    """
    for name, t in tensors.items():
        if not isinstance(t, Tensor):
            raise TypeError(f"{name} must be a torch.Tensor; got {type(t).__name__}")
    if len({(t.dtype, t.device) for t in tensors.values()}) > 1:
        came = ", ".join(f"{name} {t.dtype} on {t.device}" for name, t in tensors.items())
        raise ValueError(f"{', '.join(tensors)} must have the same dtype and device; got {came}")
