"""CONTRIBUTING.md names files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATH = re.compile(r"(?<![\w/.])(?:fastlatent|kernels|tests|bench|docs)/[\w./]*\w")
PLACEHOLDER = re.compile(r"[A-Z]{4,}")


def test_paths_exist():
    paths = set(PATH.findall((ROOT / "CONTRIBUTING.md").read_text()))
    assert len(paths) > 30
    assert [path for path in sorted(paths) if not PLACEHOLDER.search(path) and not (ROOT / path).exists()] == []
