"""The API sections of the documentation name objects that exist: mkdocstrings ignores a missing member silently."""

import importlib
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SECTION = re.compile(r"^::: (\S+)(?:\n +options: \{.*members: \[(.+)\]\})?", re.MULTILINE)
MEMBERS = [
    (section[1], member)
    for page in sorted(DOCS.glob("*.md"))
    for section in SECTION.finditer(page.read_text())
    for member in (section[2] or "").split(", ")
    if member
]


@pytest.mark.parametrize(("module", "member"), MEMBERS)
def test_member_exists(module, member):
    assert hasattr(importlib.import_module(module), member)
