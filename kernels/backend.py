"""Which backend serves a call: chosen per call, forced with `use_backend`, shown by `explain`."""

import contextlib
import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

BACKENDS = ("reference", "cpu", "triton", "cuda")

_forced: contextvars.ContextVar[str | None] = contextvars.ContextVar("forced backend", default=None)
_decisions: contextvars.ContextVar[list["Decision"] | None] = contextvars.ContextVar("decisions", default=None)


@dataclass(frozen=True)
class Decision:
    """One engine's choice: the backend that served, and why each of the others did not."""

    engine: str
    backend: str
    passed_over: Mapping[str, str]

    def __str__(self) -> str:
        lines = [f"{self.engine}: {self.backend}"]
        return "\n".join(lines + [f"  not {name}: {why}" for name, why in self.passed_over.items()])


class use_backend(contextlib.ContextDecorator):
    """Force one backend inside a `with` block or a decorated function.

    Args:
        name: "reference", "cpu", "triton" or "cuda".

    Raises:
        ValueError: for another name; and, from the losses inside, when that backend cannot serve the call.
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


def choose(engine: str, refusals: Mapping[str, str | None]) -> str:
    """Pick the first backend that can serve, or the forced one.

    Args:
        engine: name of the asking engine.
        refusals: backends, fastest first, each with the reason why it cannot serve this call (None: it can).

    Raises:
        ValueError: if the forced backend cannot serve.
    """
    forced = _forced.get()
    if forced is not None:
        why = refusals.get(forced, f"the {engine} engine has no such backend")
        if why is not None:
            raise ValueError(f"use_backend({forced!r}): the {engine} engine cannot run there: {why}")
        chosen = forced
    else:
        chosen = next(name for name, why in refusals.items() if why is None)
    record = _decisions.get()
    if record is not None:
        slower = "forced by use_backend" if forced else f"{chosen} is faster here"
        others = {name: why or slower for name, why in refusals.items() if name != chosen}
        record.append(Decision(engine, chosen, others))
    return chosen


@dataclass(frozen=True)
class Explanation:
    """What `explain` found: the decisions of one call, in order."""

    decisions: tuple[Decision, ...]

    def __str__(self) -> str:
        return "\n".join(dict.fromkeys(map(str, self.decisions)))  # a loss may ask an engine the same thing twice

    __repr__ = __str__


def explain(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Explanation:
    """Run `fn(*args, **kwargs)` and tell which backend served each engine call, and why the others did not.

    Returns:
        An `Explanation`: print it, or read its `decisions`.
    """
    record: list[Decision] = []
    token = _decisions.set(record)
    try:
        fn(*args, **kwargs)
    finally:
        _decisions.reset(token)
    return Explanation(tuple(record))
