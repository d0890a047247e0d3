"""UCI letter recognition."""

from pathlib import Path
from string import ascii_uppercase

import numpy as np

from ..files import errors_naming_file, find_file
from ..tables import TableDataset, build_table

TRAIN = 16_000  # the first rows, as in Frey & Slate 1991, "Letter recognition using Holland-style adaptive classifiers"


def letter(data_dir: Path | None = None) -> TableDataset:
    """Load UCI letter recognition: 20,000 rows of 16 categorical columns, integers from 0 to 15; labels are letters.

    Read from letter-recognition.data: lines of a letter and 16 integers, with or without a header; the first 16,000
    are for training.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if a line has another form.
    """
    path = find_file("letter", data_dir, ("letter-recognition.data",))
    with errors_naming_file(path, "file of lines with a letter and 16 integers, separated by commas"):
        lines = [line.split(",") for line in path.read_text("ascii").split()]
        if lines and len(lines[0][0]) > 1:
            lines = lines[1:]
        values = np.array([list(map(int, line[1:])) for line in lines])
        labels = np.array([ascii_uppercase.index(line[0]) for line in lines])
        train, test, *_ = np.split(values, [TRAIN])
        names = [str(i) for i in range(1, values.shape[1] + 1)]
    split = labels[:TRAIN], labels[TRAIN:]
    return build_table("letter", train, test, split, names, names, epochs=20, classes=tuple(ascii_uppercase))
