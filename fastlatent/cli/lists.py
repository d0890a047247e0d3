"""Options that take lists: from a dataclass of options, one in which each option is a list of values."""

from collections.abc import Iterator, Sequence
from dataclasses import field, fields, is_dataclass, make_dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from tyro.conf import arg
from tyro.constructors import PrimitiveConstructorSpec

Out = Annotated[Path | None, arg(help="Sweep folder; what is finished in it is kept. None: runs/MODEL-sweep.")]


def lists(options: Any) -> Any:
    """Options whose every field is a tuple of values, at first the one value it has in `options`.

    Nested options become nested lists; `out` stays one path, for a sweep has one folder. What comes back is an instance
    of a subclass, in which the parser finds the help of each field.
    """
    made, hints = type(options), get_type_hints(type(options))
    listed: list[tuple[str, Any, Any]] = []
    for name in (option.name for option in fields(made)):
        value = getattr(options, name)
        if is_dataclass(value):
            nested = lists(value)
            listed.append((name, type(nested), field(default=nested)))
        elif name == "out":
            listed.append((name, Out, None))
        else:
            listed.append((name, tuple[_word(hints[name], value), ...], field(default=(value,))))  # type: ignore[misc]
    of = tuple(type(getattr(options, name)) for name, hint in hints.items() if isinstance(hint, TypeVar))
    base = made[of] if of else made  # Run[M] knows its M, or the parser asks
    return make_dataclass(made.__name__, listed, bases=(base,), frozen=True, namespace={"__doc__": made.__doc__})()


def combinations(listed: Any) -> Iterator[Any]:
    """Every combination of the values in what `lists` made, as options again; the last option varies fastest.

    Raises:
        ValueError: naming an option without values.
    """
    made: Any = type(listed).__base__
    names = [option.name for option in fields(made)]
    for chosen in product(*(_values(name, getattr(listed, name)) for name in names)):
        yield made(**dict(zip(names, chosen, strict=True)))


def _values(name: str, listed: Any) -> Sequence[Any]:
    if is_dataclass(listed):
        return list(combinations(listed))
    if name == "out":
        return [None]
    if not listed:
        raise ValueError(f"{name} must be one value or more; got none")
    return listed


def _word(hint: Any, value: Any) -> Any:
    """How one value is written: as elsewhere, but a tuple as one word with commas."""
    if not isinstance(value, tuple):
        return hint
    of = get_args(hint)[0]
    commas = PrimitiveConstructorSpec[tuple](
        nargs=1,
        metavar=f"{of.__name__.upper()},...",
        instance_from_str=lambda words: tuple(of(part) for part in words[0].split(",") if part),
        is_instance=lambda instance: isinstance(instance, tuple),
        str_from_instance=lambda instance: [",".join(map(str, instance))],
    )
    return Annotated[hint, commas]
