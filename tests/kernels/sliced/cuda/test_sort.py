"""The CUDA sorts, where nvcc is installed: they spill no registers, and their library loads without a device.

They are compiled here for one architecture; CMake compiles them for all.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import fastlatent.kernels.sliced.cuda.launch as sliced_cuda

SOURCE = Path(__file__).parents[4] / "kernels" / "sliced" / "cuda" / "sort.cu"
NVCC = os.environ.get("NVCC") or shutil.which("nvcc")


@pytest.mark.slow
@pytest.mark.skipif(NVCC is None, reason="nvcc is not installed ($NVCC, PATH)")
def test_no_register_spills(tmp_path: Path) -> None:
    assert NVCC is not None
    library = tmp_path / sliced_cuda.LIBRARY
    paths = [f"-L{folder}" for folder in (Path(NVCC).parents[1] / "lib", Path(NVCC).parents[1] / "lib64")]
    command = [NVCC, "-std=c++17", "-O3", "-shared", "-Xcompiler", "-fPIC", "-Xptxas", "-v", "-arch=sm_90", *paths]
    result = subprocess.run([*command, "-o", library, SOURCE], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    usage = re.findall(r"Function properties for (\S+)\s+[^\n]* (\d+) bytes spill stores", result.stderr)
    spills = {name: int(num_bytes) for name, num_bytes in usage if "sort_in_block" in name}  # the others are CUB's
    assert len(spills) == 8  # four lengths, two kinds of keys
    assert not any(spills.values()), spills
    assert sliced_cuda.load(library).fastlatent_sort_workspace(3, 1000, True) == 0


def test_missing_library_names_nvcc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliced_cuda, "library", lambda: None)
    reason = sliced_cuda.unavailable()
    assert reason is not None
    assert "nvcc" in reason
