"""Error exits of the command line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


def exit_with(code: int, message: str) -> NoReturn:
    """Exit with one line on stderr."""
    print(f"fastlatent: {message}", file=sys.stderr)
    sys.exit(code)


@contextmanager
def exit_on_user_errors() -> Iterator[None]:
    """Exit with one line and code 2 on invalid options and missing packages."""
    try:
        yield
    except (ValueError, TypeError, ImportError) as error:
        exit_with(2, f"error: {error}")
