"""Options with lists of values: conversion of a dataclass of options to lists, and the combinations of their values."""

from collections.abc import Iterator, Sequence
from dataclasses import field, fields, is_dataclass, make_dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from tyro.conf import arg
from tyro.constructors import PrimitiveConstructorSpec

SweepDir = Annotated[
    Path | None, arg(help="Folder of the sweep; finished runs in it are skipped. None: runs/MODEL-sweep.")
]


def to_lists(options: Any) -> Any:
    """Return options with a tuple of values in each field, by default the value in `options` only.

    Nested options become nested lists; `run_dir` remains a path, the folder of the sweep. The result is an instance of
    a subclass, so that tyro shows the help of each field.
    """
    cls, hints = type(options), get_type_hints(type(options))
    list_fields: list[tuple[str, Any, Any]] = []
    for name in (option.name for option in fields(cls)):
        value = getattr(options, name)
        if is_dataclass(value):
            nested = to_lists(value)
            list_fields.append((name, type(nested), field(default=nested)))
        elif name == "run_dir":
            list_fields.append((name, SweepDir, None))
        else:
            list_fields.append((name, tuple[_value_type(hints[name], value), ...], field(default=(value,))))  # type: ignore[misc]
    arguments = tuple(type(getattr(options, name)) for name, hint in hints.items() if isinstance(hint, TypeVar))
    base = cls[arguments] if arguments else cls  # without its type arguments, tyro rejects Run[M]
    return make_dataclass(cls.__name__, list_fields, bases=(base,), frozen=True, namespace={"__doc__": cls.__doc__})()


def combinations(lists: Any) -> Iterator[Any]:
    """Yield every combination of the values in a result of `to_lists`, as options; the last option varies fastest.

    Raises:
        ValueError: naming an option without values.
    """
    cls: Any = type(lists).__base__
    names = [option.name for option in fields(cls)]
    for values in product(*(_values(name, getattr(lists, name)) for name in names)):
        yield cls(**dict(zip(names, values, strict=True)))


def _values(name: str, values: Any) -> Sequence[Any]:
    if is_dataclass(values):
        return list(combinations(values))
    if name == "run_dir":
        return [None]
    if not values:
        raise ValueError(f"{name} must be one value or more; got none")
    return values


def _value_type(hint: Any, value: Any) -> Any:
    """Return the type of one value; a tuple is parsed from one word with commas."""
    if not isinstance(value, tuple):
        return hint
    item = get_args(hint)[0]
    comma_separated = PrimitiveConstructorSpec[tuple](
        nargs=1,
        metavar=f"{item.__name__.upper()},...",
        instance_from_str=lambda words: tuple(item(part) for part in words[0].split(",") if part),
        is_instance=lambda instance: isinstance(instance, tuple),
        str_from_instance=lambda instance: [",".join(map(str, instance))],
    )
    return Annotated[hint, comma_separated]
