"""Folders of examples, one for each class, with a split of their own or without."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..dataset import split_rows
from ..files import Folder

Example: TypeAlias = tuple[Folder, int]  # a file and its label
PARTS = ("train", "test")


@dataclass(frozen=True)
class Listing:
    """The files of a folder.

    Args:
        classes: names of the classes, in order.
        train, test: files with their labels.
    """

    classes: tuple[str, ...]
    train: tuple[Example, ...]
    test: tuple[Example, ...]


def list_examples(folder: Folder, suffixes: Sequence[str]) -> Listing:
    """The files of these types in train/CLASS and test/CLASS, in CLASS/train and CLASS/test, or in CLASS.

    In the last case a quarter is for testing, by chance, but the same in every run. Files and folders whose name starts
    with a dot or two underscores are passed over.

    Args:
        folder: to look in, on disk or in a .zip file.
        suffixes: of the files' names, in small letters: ".png".

    Raises:
        ValueError: if there are none in such an order, or some for one part of the split alone.
    """
    top = _folders(folder)
    if set(PARTS) <= set(top):
        classes = sorted({name for part in PARTS for name in _folders(top[part])})
        parts = {part: _folders(top[part]) for part in PARTS}
        places = {(part, name): parts[part].get(name) for part in PARTS for name in classes}
    else:
        classes = sorted(top)
        inside = {name: _folders(top[name]) for name in classes}
        places = {(part, name): inside[name].get(part) for part in PARTS for name in classes}
        if not any(places.values()):
            return _without_split(folder, {name: _files(top[name], suffixes) for name in classes}, suffixes)

    def examples(part: str) -> tuple[Example, ...]:
        there = ((places[part, name], label) for label, name in enumerate(classes))
        return tuple((file, label) for place, label in there if place is not None for file in _files(place, suffixes))

    listing = Listing(tuple(classes), examples("train"), examples("test"))
    for part in PARTS:
        if not getattr(listing, part):
            raise ValueError(f"{folder}: no {_any_of(suffixes)} for the split's part {part!r}")
    return listing


def _without_split(folder: Folder, files: dict[str, list[Folder]], suffixes: Sequence[str]) -> Listing:
    found = {name: inside for name, inside in files.items() if inside}
    examples = [(file, label) for label, inside in enumerate(found.values()) for file in inside]
    if len(examples) < 2:
        raise ValueError(
            f"{folder}: must hold a folder for each class with {_any_of(suffixes)} in it, or train and test with such "
            f"folders; found {len(examples)} such files"
        )
    train, test = (tuple(examples[row] for row in rows) for rows in split_rows(len(examples)))
    return Listing(tuple(found), train, test)


def _folders(folder: Folder) -> dict[str, Folder]:
    return {entry.name: entry for entry in folder.iterdir() if entry.is_dir() and not _hidden(entry)}


def _files(folder: Folder, suffixes: Sequence[str]) -> list[Folder]:
    files = [entry for entry in folder.iterdir() if entry.is_file() and not _hidden(entry)]
    return sorted((file for file in files if file.name.lower().endswith(tuple(suffixes))), key=lambda file: file.name)


def _hidden(entry: Folder) -> bool:
    return entry.name.startswith((".", "__"))


def _any_of(suffixes: Sequence[str]) -> str:
    return f"files {', '.join(suffixes)}"
