"""The GPU kernels under Triton's interpreter, on CPU tensors: each file of on_device/ in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

FILES = sorted((Path(__file__).parent / "on_device").glob("test_*.py"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="the same tests run on the CUDA device in this process")
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_kernels_under_the_interpreter(file):
    pytest.importorskip("triton", reason="triton is not installed (Linux only)")
    command = [sys.executable, "-m", "pytest", str(file), "-p", "no:cacheprovider", "-x"]
    done = subprocess.run(command, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
