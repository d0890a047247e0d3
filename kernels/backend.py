"""Backend selection: automatic for each call, forced by `use_backend`, reported by `explain`."""

import contextlib
import contextvars
import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

BACKENDS = ("reference", "cpu", "lapack", "matmul", "triton", "cuda")

_forced: contextvars.ContextVar[str | None] = contextvars.ContextVar("forced backend", default=None)
_decisions: contextvars.ContextVar[list["Decision"] | None] = contextvars.ContextVar("decisions", default=None)


@dataclass(frozen=True)
class Decision:
    """Backend selection of one engine call.

    Args:
        engine: name of the engine, with the route of spectral operations.
        backend: label of the backend that ran; "a+b" if two libraries share the work.
        rejected: the other backends of the engine, each with the reason.
    """

    engine: str
    backend: str
    rejected: Mapping[str, str]

    def __str__(self) -> str:
        lines = [f"{self.engine}: {self.backend}"]
        return "\n".join(lines + [f"  not {name}: {reason}" for name, reason in self.rejected.items()])


class use_backend(contextlib.ContextDecorator):
    """Force one backend inside a `with` block or a decorated function.

    "reference", "cpu" and "triton" exist in every engine, "cuda" in the sliced engine, "lapack" and "matmul" in the
    spectral one. "cpu" admits LAPACK too, where the native kernels do not support a size; `explain` shows which ran.

    Args:
        name: "reference", "cpu", "lapack", "matmul", "triton" or "cuda".

    Raises:
        ValueError: for another name; and, from the losses inside, if that backend does not support the call.
    """

    def __init__(self, name: str) -> None:
        if name not in BACKENDS:
            raise ValueError(f"backend must be one of {', '.join(BACKENDS)}; got {name!r}")
        self.name = name
        self._tokens: list[contextvars.Token] = []

    def __enter__(self) -> "use_backend":
        self._tokens.append(_forced.set(self.name))
        return self

    def __exit__(self, *exception: object) -> None:
        _forced.reset(self._tokens.pop())


def select_backend(engine: str, unsupported_reasons: Mapping[str, str | None]) -> str:
    """Select the first backend that supports the call, among those admitted by `use_backend`.

    Args:
        engine: name of the calling engine.
        unsupported_reasons: for each backend, fastest first, why it does not support this call; None if it does.

    Returns:
        The label of the selected backend.

    Raises:
        ValueError: if the forced backend does not support the call.
    """
    forced = _forced.get()
    if forced is None:
        selected = next(name for name, reason in unsupported_reasons.items() if reason is None)
    else:
        selected = _select_forced(forced, engine, unsupported_reasons)
    decisions = _decisions.get()
    if decisions is not None:
        slower = "forced by use_backend" if forced else f"{selected} is faster here"
        rejected = {name: reason or slower for name, reason in unsupported_reasons.items() if name != selected}
        decisions.append(Decision(engine, selected, rejected))
    return selected


def _select_forced(forced: str, engine: str, unsupported_reasons: Mapping[str, str | None]) -> str:
    admitted = {name: reason for name, reason in unsupported_reasons.items() if _admits(forced, name)}
    for name, reason in admitted.items():
        if reason is None:
            return name
    reasons = "; ".join(dict.fromkeys(filter(None, admitted.values())))
    reasons = reasons or f"it has no such backend, only {', '.join(unsupported_reasons)}"
    raise ValueError(f"use_backend({forced!r}): the {engine} engine cannot run there: {reasons}")


def _admits(forced: str, backend: str) -> bool:
    """Return whether `use_backend(forced)` admits a backend: itself, alone or with matmul; LAPACK for "cpu"."""
    name = backend.partition("+")[0]
    return name == forced or (forced == "cpu" and name == "lapack")


@functools.cache
def launch_module(package: str, backend: str) -> ModuleType:
    """Import `package.backend.launch` at its first call: Triton is imported only if it runs."""
    return importlib.import_module(f"{package}.{backend}.launch")


@dataclass(frozen=True)
class Explanation:
    """Result of `explain`: the backend selections of one call, in order."""

    decisions: tuple[Decision, ...]

    def __str__(self) -> str:
        return "\n".join(dict.fromkeys(map(str, self.decisions)))  # a loss may make the same engine call twice

    __repr__ = __str__


def explain(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """Run `fn(*args, **kwargs)` and report the backend of each engine call, with the reasons against the others.

    Args:
        fn: a loss, or any function that calls losses.
        *args: its arguments.
        **kwargs: its keyword arguments.

    Returns:
        An `Explanation`: print it, or read its `decisions`.
    """
    decisions: list[Decision] = []
    token = _decisions.set(decisions)
    try:
        fn(*args, **kwargs)
    finally:
        _decisions.reset(token)
    return Explanation(tuple(decisions))
