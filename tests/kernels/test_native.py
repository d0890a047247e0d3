"""The native module: which instruction set runs, and how one is forced."""

import os
import subprocess
import sys

import pytest

from fastlatent.kernels import native

PROGRAM = """
import torch, fastlatent
from fastlatent.kernels import native
fastlatent.mmd_imq(torch.randn(3, 2), torch.randn(4, 2))
print(native.module().isa())
"""


def run(isa: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"FASTLATENT_CPU_ISA": isa}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=120)


def test_the_best_set_is_the_default_and_the_baseline_is_always_there():
    assert native.module().isas()[0] == "baseline"
    if "FASTLATENT_CPU_ISA" not in os.environ:
        assert native.module().isa() == native.module().isas()[-1]


def test_the_environment_forces_a_set():
    assert run("baseline").stdout == "baseline\n"


def test_a_wrong_name_in_the_environment_is_an_error_that_lists_the_right_ones():
    failed = run("sse9")
    assert failed.returncode == 1
    assert "'sse9' is not available here; available: " + ", ".join(native.module().isas()) in failed.stderr


def test_a_wrong_name_is_an_error_and_changes_nothing():
    before = native.module().isa()
    with pytest.raises(ValueError, match="instruction set 'sse9' is not available here; available: baseline"):
        native.module().use_isa("sse9")
    assert native.module().isa() == before


def test_nothing_is_missing_where_the_module_was_built():
    assert native.unavailable() is None
