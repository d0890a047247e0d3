"""Backend selection: automatic for each call, forced by `use_backend`, reported by `explain`."""

import contextvars
import functools
import importlib
import inspect
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar, cast

BACKENDS = ("reference", "cpu", "lapack", "matmul", "triton", "cuda")

F = TypeVar("F", bound=Callable[..., Any])

_forced: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar(
    "forced backends", default=()
)  # innermost first
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


class use_backend:
    """Force one backend inside a `with` block, or in a decorated function, generator or coroutine.

    "reference", "cpu" and "triton" exist in every engine, "cuda" in the sliced engine, "lapack" and "matmul" in the
    spectral one. "cpu" admits LAPACK too, where the native kernels do not support a size; `explain` shows which ran.
    One object may be entered several times, in several threads: it holds nothing but the name.

    Args:
        name: "reference", "cpu", "lapack", "matmul", "triton" or "cuda".

    Raises:
        ValueError: for another name; and, from the losses inside, if that backend does not support the call.
    """

    def __init__(self, name: str) -> None:
        if name not in BACKENDS:
            raise ValueError(f"backend must be one of {', '.join(BACKENDS)}; got {name!r}")
        self.name = name

    def __enter__(self) -> "use_backend":
        _forced.set((self.name, *_forced.get()))
        return self

    def __exit__(self, *exception: object) -> None:
        _forced.set(_forced.get()[1:])

    def __call__(self, function: F) -> F:
        """Decorate a function, a generator function (forced while it runs, not between) or a coroutine function."""
        if inspect.isasyncgenfunction(function):
            raise TypeError(f"use_backend decorates no async generator; got {function!r}")

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        @functools.wraps(function)
        async def await_coroutine(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        @functools.wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Any:
            return self._resume(function(*args, **kwargs))

        if inspect.iscoroutinefunction(function):
            return cast(F, await_coroutine)
        return cast(F, generate if inspect.isgeneratorfunction(function) else call)

    def _resume(self, generator: Generator) -> Generator:
        """Yield what the generator yields, with the backend forced whenever it is resumed."""
        resume: Callable[[Any], Any] = generator.send
        argument: Any = None
        while True:
            try:
                with self:
                    item = resume(argument)
            except StopIteration as stop:
                return stop.value
            try:
                resume, argument = generator.send, (yield item)
            except GeneratorExit:
                with self:
                    generator.close()
                raise
            except BaseException as error:
                resume, argument = generator.throw, error


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
    forced = next(iter(_forced.get()), None)
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
