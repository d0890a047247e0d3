"""Folders of examples, one for each class, with or without a split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..dataset import split_rows
from ..files import AnyPath

Example: TypeAlias = tuple[AnyPath, int]  # a file and its label
PARTS = ("train", "test")


@dataclass(frozen=True)
class Listing:
    """Files of a folder.

    Args:
        classes: names of the classes, in order.
        train: training files with their labels.
        test: test files with their labels.
    """

    classes: tuple[str, ...]
    train: tuple[Example, ...]
    test: tuple[Example, ...]


def list_examples(folder: AnyPath, suffixes: Sequence[str]) -> Listing:
    """List the files in train/CLASS and test/CLASS, in CLASS/train and CLASS/test, or in CLASS.

    In the last case a random quarter, the same in every run, is for testing. Files and folders with a name that starts
    with a dot or two underscores are ignored.

    Args:
        folder: folder on disk or in a .zip file.
        suffixes: suffixes of the files' names in lower case, such as ".png".

    Raises:
        ValueError: if there are no such files, or none for one part of the split.
    """
    top = _folders(folder)
    if set(PARTS) <= set(top):
        classes = sorted({name for part in PARTS for name in _folders(top[part])})
        parts = {part: _folders(top[part]) for part in PARTS}
        folders = {(part, name): parts[part].get(name) for part in PARTS for name in classes}
    else:
        classes = sorted(top)
        subfolders = {name: _folders(top[name]) for name in classes}
        folders = {(part, name): subfolders[name].get(part) for part in PARTS for name in classes}
        if not any(folders.values()):
            return _without_split(folder, {name: _files(top[name], suffixes) for name in classes}, suffixes)

    def examples(part: str) -> tuple[Example, ...]:
        labeled = ((folders[part, name], label) for label, name in enumerate(classes))
        return tuple((file, label) for path, label in labeled if path is not None for file in _files(path, suffixes))

    listing = Listing(tuple(classes), examples("train"), examples("test"))
    for part in PARTS:
        if not getattr(listing, part):
            raise ValueError(f"{folder}: no {_describe(suffixes)} in the split {part!r}")
    return listing


def _without_split(folder: AnyPath, files: dict[str, list[AnyPath]], suffixes: Sequence[str]) -> Listing:
    classes = {name: members for name, members in files.items() if members}
    examples = [(file, label) for label, members in enumerate(classes.values()) for file in members]
    if len(examples) < 2:
        raise ValueError(
            f"{folder}: must have a folder for each class with {_describe(suffixes)}, or train and test with such "
            f"folders; has {len(examples)} such files"
        )
    train, test = (tuple(examples[row] for row in rows) for rows in split_rows(len(examples)))
    return Listing(tuple(classes), train, test)


def _folders(folder: AnyPath) -> dict[str, AnyPath]:
    return {entry.name: entry for entry in folder.iterdir() if entry.is_dir() and not _hidden(entry)}


def _files(folder: AnyPath, suffixes: Sequence[str]) -> list[AnyPath]:
    files = [entry for entry in folder.iterdir() if entry.is_file() and not _hidden(entry)]
    return sorted((file for file in files if file.name.lower().endswith(tuple(suffixes))), key=lambda file: file.name)


def _hidden(entry: AnyPath) -> bool:
    return entry.name.startswith((".", "__"))


def _describe(suffixes: Sequence[str]) -> str:
    return f"files {', '.join(suffixes)}"
