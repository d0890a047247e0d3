"""How a command ends that cannot go on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


def stop(code: int, message: str) -> NoReturn:
    """End with one line on stderr."""
    print(f"fastlatent: {message}", file=sys.stderr)
    sys.exit(code)


@contextmanager
def wrong_options() -> Iterator[None]:
    """Where options are read: an error of these is the user's, or a library is missing; one line and exit code 2."""
    try:
        yield
    except (ValueError, TypeError, ImportError) as error:
        stop(2, f"error: {error}")
