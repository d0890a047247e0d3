"""Code blocks and table of the page on models."""

import re
from pathlib import Path

import pytest
import torch

from fastlatent.models import MODEL_CONFIGS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "models.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)


def test_snippets_run_in_order():
    names = {}
    for snippet in SNIPPETS:
        exec(snippet, names)
    assert names["images"].shape == (12, 1, 8, 8)
    assert names["path"].shape == (12, 8)


@pytest.mark.parametrize("name", ["wae-mmd", "aae-semi-supervised", "acai", "gan"])
def test_training_loop_updates_models_of_every_kind(name):
    default = 'MODEL_CONFIGS["aae"](prior="mixture")'
    assert default in SNIPPETS[0]
    names = {}
    torch.manual_seed(0)
    exec(SNIPPETS[0].replace(default, f'MODEL_CONFIGS["{name}"](hidden=(32,))'), names)
    torch.manual_seed(0)
    untrained = MODEL_CONFIGS[name](hidden=(32,)).build((1, 8, 8))
    for before, after in zip(untrained.parameters(), names["model"].parameters(), strict=True):
        assert not torch.equal(before, after)


def test_table_lists_every_configuration_with_its_source():
    rows = dict(re.findall(r"^\| `([\w-]+)` \|.*\| (.*) \|$", DOCS.read_text(), re.MULTILINE))
    assert rows == {name: config.source for name, config in MODEL_CONFIGS.items()}
