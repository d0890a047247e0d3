"""`python -m fastlatent`, and the installed command."""

import sys

from .utils.memory import tune_glibc_allocator


def main() -> None:
    """Run the command line, or say in one line that what it needs is not installed."""
    tune_glibc_allocator()
    try:
        from .cli import main as run
    except ModuleNotFoundError as missing:
        sys.exit(f"fastlatent: the command line needs {missing.name}: install fastlatent with its extra 'train'")
    run()


if __name__ == "__main__":
    main()
