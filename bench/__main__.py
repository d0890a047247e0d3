"""`python -m bench [engine ...]`: time the engines, store the rows in bench/results, write docs/performance.md."""

import os
import subprocess
import sys
from pathlib import Path

from . import report

HERE = Path(__file__).parent
# Limits of glibc up to which it reuses freed blocks; by default it returns large blocks to the system at once, which
# takes most of the time of plain torch.
TUNED_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000"}


def run(engine: str, environment: dict[str, str], to: Path) -> None:
    """Run pytest-benchmark on the file of an engine and store its rows as JSON."""
    command = [
        sys.executable, "-m", "pytest", "-q", HERE / f"bench_{engine}.py", "-o", "python_files=bench_*.py",
        "--benchmark-json", to, "--benchmark-quiet", "-p", "no:cacheprovider", "-rs",
    ]  # fmt: skip
    subprocess.run([str(word) for word in command], check=True, env=os.environ | environment)


def main() -> None:
    """Run the engines named on the command line, or all."""
    engines = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    selected = sys.argv[1:] or engines
    for name in selected:
        if name not in engines:
            sys.exit(f"bench: no engine {name!r}; the engines are: {', '.join(engines)}")
    for name in selected:
        run(name, {}, HERE / "results" / f"{name}.json")
        if name == "pairwise":
            run(name, TUNED_ALLOCATOR, HERE / "results" / "pairwise_tuned_allocator.json")
    report.write()


if __name__ == "__main__":
    main()
