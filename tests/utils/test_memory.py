"""Page faults with and without the allocator settings."""

import subprocess
import sys

import pytest

FAULTS = """
import resource
import torch
{first}
for step in range(20):
    if step == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(20_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
TUNE = "from fastlatent.utils.memory import tune_glibc_allocator; tune_glibc_allocator()"


def page_faults(first: str) -> int:
    """Number of page faults for ten tensors of 80 MB, each freed before the next."""
    process = subprocess.run(
        [sys.executable, "-c", FAULTS.format(first=first)], capture_output=True, text=True, check=True
    )
    return int(process.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_freed_memory_is_reused():
    assert page_faults(TUNE) < page_faults("") / 4
