"""Triton kernels under Triton's interpreter, on CPU tensors: each file of tests in a process of its own."""

import os
import subprocess
import sys

import pytest
import torch

from tests.kernels.harness.interpretable import FILES, TESTS

pytestmark = pytest.mark.slow


@pytest.mark.skipif(torch.cuda.is_available(), reason="the same tests run on the CUDA device in this process")
@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_kernels_under_interpreter(file):
    pytest.importorskip("triton", reason="triton is not installed (Linux only)")
    command = [sys.executable, "-m", "pytest", str(file), "-p", "no:cacheprovider", "-x"]
    result = subprocess.run(command, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
