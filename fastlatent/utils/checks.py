"""Argument checks: each error names the argument, its value and the allowed values.

Functions raise a TypeError for a wrong type, and a ValueError for any other wrong argument.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..kernels.dispatch import is_plain

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
# Subclasses of PyTorch whose operators do not include those of the losses, and the conversion to a tensor.
UNSUPPORTED_TYPES = {"DTensor": ".full_tensor(), or .to_local() with group=", "MaskedTensor": ".to_tensor(value)"}


def sample(name: str, x: Tensor, min_points: int = 1, purpose: str = "any loss") -> None:
    """Require a dense floating-point tensor (..., n, d) with n ≥ `min_points`, which `purpose` needs, and d ≥ 1.

    Raises:
        TypeError: if x is not a tensor.
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
        raise ValueError(f"{name} must have d >= 1 coordinates; got shape {tuple(x.shape)}")
    if x.shape[-2] < min_points:
        raise ValueError(f"{name} must have n >= {min_points} points for {purpose}; got shape {tuple(x.shape)}")
    if 0 in x.shape[:-2]:
        raise ValueError(f"{name} must not have an empty batch; got shape {tuple(x.shape)}")


def samples(x: Tensor, y: Tensor, min_points: int = 1, purpose: str = "any loss") -> None:
    """Require two samples (..., n, d) and (..., m, d) of equal batch shape, d, dtype and device.

    Raises:
        TypeError: if one is not a tensor.
        ValueError: otherwise.
    """
    sample("x", x, min_points, purpose)
    sample("y", y, min_points, purpose)
    if x.shape[:-2] != y.shape[:-2] or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "x (..., n, d) and y (..., m, d) must agree in all dimensions except n and m; "
            f"got shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    if x.dtype != y.dtype:
        raise ValueError(f"x and y must have the same dtype; got {x.dtype} and {y.dtype}")
    if x.device != y.device:
        raise ValueError(f"x and y must be on the same device; got {x.device} and {y.device}")


def square(name: str, a: Tensor) -> None:
    """Require a dense floating-point tensor (..., d, d) with d ≥ 1.

    Raises:
        TypeError: if a is not a tensor.
        ValueError: otherwise.
    """
    sample(name, a)
    if a.shape[-1] != a.shape[-2]:
        raise ValueError(f"{name} must have shape (..., d, d); got shape {tuple(a.shape)}")


def same_dtype_and_device(tensors: Mapping[str, Tensor]) -> None:
    """Require tensors, by name, of one dtype on one device.

    Raises:
        TypeError: if one is not a tensor.
        ValueError: otherwise.
    """
    for name, t in tensors.items():
        if not isinstance(t, Tensor):
            raise TypeError(f"{name} must be a torch.Tensor; got {type(t).__name__}")
    if len({(t.dtype, t.device) for t in tensors.values()}) > 1:
        values = ", ".join(f"{name} {t.dtype} on {t.device}" for name, t in tensors.items())
        raise ValueError(f"{', '.join(tensors)} must have the same dtype and device; got {values}")


def projections(theta: Tensor, x: Tensor) -> None:
    """Require directions (d, L) on the device of the points x (..., n, d).

    Raises:
        TypeError: if theta is not a tensor.
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
    """Require None, or weights (n,) or (..., n) of the points x (..., n, d), ≥ 0 and not all 0.

    Values are checked on a CPU only, because on a GPU the check would synchronize with the host, and not while tracing.

    Raises:
        TypeError: if w is neither None nor a tensor.
        ValueError: otherwise.
    """
    if w is None:
        return
    if not isinstance(w, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor of shape (..., n) or None; got {type(w).__name__}")
    if w.dtype not in DTYPES or w.device != x.device or w.shape not in (x.shape[:-1], x.shape[-2:-1]):
        raise ValueError(
            f"{name} must be floating, on {x.device}, one weight per point: shape {tuple(x.shape[:-1])} or "
            f"{tuple(x.shape[-2:-1])}; got {w.dtype} on {w.device} of shape {tuple(w.shape)}"
        )
    if w.device.type == "cpu" and is_plain(w):
        minimum, totals = w.min().item(), w.sum(-1)
        if minimum < 0 or not (totals > 0).all():
            raise ValueError(f"{name} must be >= 0, not all 0; got minimum {minimum}, sums {totals.tolist()}")


def positive(name: str, value: float) -> float:
    """Require a finite number > 0, and return it as a float."""
    return _number(name, value, is_allowed=lambda v: v > 0, allowed="a finite number > 0")


def non_negative(name: str, value: float) -> float:
    """Require a finite number ≥ 0, and return it as a float."""
    return _number(name, value, is_allowed=lambda v: v >= 0, allowed="a finite number >= 0")


def at_least(name: str, value: float, minimum: float) -> float:
    """Require a finite number ≥ `minimum`, and return it as a float."""
    return _number(name, value, is_allowed=lambda v: v >= minimum, allowed=f"a finite number >= {minimum}")


def fraction(name: str, value: float) -> float:
    """Require a number in [0, 1), and return it as a float."""
    return _number(name, value, is_allowed=lambda v: 0 <= v < 1, allowed="a number in [0, 1)")


def positives(name: str, values: Iterable[float]) -> tuple[float, ...]:
    """Require one or more finite numbers > 0, and return them as floats."""
    if isinstance(values, str) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{name} must be a sequence of numbers > 0; got {values!r}")
    values = tuple(_plain(name, v) for v in values)
    if not all(map(_is_number, values)):
        raise TypeError(f"{name} must be a sequence of numbers > 0; got {values!r}")
    if not values or not all(math.isfinite(v) and v > 0 for v in values):
        raise ValueError(f"{name} must be one or more finite numbers > 0; got {values!r}")
    return tuple(map(float, values))


def count(name: str, value: int, minimum: int = 1) -> int:
    """Require an integer ≥ `minimum`, and return it."""
    value = _plain(name, value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer >= {minimum}; got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}; got {value}")
    return value


def generator(value: torch.Generator | None) -> None:
    """Require a random generator or None."""
    if value is not None and not isinstance(value, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator or None; got {value!r}")


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """Require one of the allowed names, and return it."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {value!r}")
    return value


def _number(name: str, value: float, is_allowed: Callable[[float], bool], allowed: str) -> float:
    value = _plain(name, value)
    if not _is_number(value):
        raise TypeError(f"{name} must be {allowed}; got {value!r}")
    if not (math.isfinite(value) and is_allowed(value)):
        raise ValueError(f"{name} must be {allowed}; got {value!r}")
    return float(value)


def _plain(name: str, value: Any) -> Any:
    """Convert a NumPy scalar, an array or a tensor without dimensions to a number of Python; others are unchanged.

    Raises:
        ValueError: for a tensor that requires a gradient, which the number would not have.
    """
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Tensor) and value.requires_grad:
        raise ValueError(f"{name} must not require a gradient, since it is an option; got {value!r}")
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _is_number(value: Any) -> bool:
    """Return whether the value is an int or a float; a bool is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
