"""Entry point of `python -m fastlatent` and of the command `fastlatent`."""

import sys

from .utils.memory import tune_glibc_allocator


def main() -> None:
    """Run the command line, or exit with the name of the package that is not installed."""
    tune_glibc_allocator()
    try:
        from .cli import main as run
    except ModuleNotFoundError as error:
        sys.exit(f"fastlatent: the command line needs {error.name}: install fastlatent with its extra 'train'")
    run()


if __name__ == "__main__":
    main()
