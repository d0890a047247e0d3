"""Instruction sets of the native module: the default, and FASTLATENT_CPU_ISA."""

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


def test_default_is_widest_instruction_set():
    assert native.module().isas()[0] == "baseline"
    if "FASTLATENT_CPU_ISA" not in os.environ:
        assert native.module().isa() == native.module().isas()[-1]


def test_environment_variable_selects_instruction_set():
    assert run("baseline").stdout == "baseline\n"


def test_unknown_instruction_set_in_environment_is_an_error():
    failed = run("sse9")
    assert failed.returncode == 1
    assert "'sse9' is not available here; available: " + ", ".join(native.module().isas()) in failed.stderr


def test_unknown_instruction_set_is_an_error():
    before = native.module().isa()
    with pytest.raises(ValueError, match="instruction set 'sse9' is not available here; available: baseline"):
        native.module().use_isa("sse9")
    assert native.module().isa() == before


def test_native_module_is_available():
    assert native.unavailable() is None
