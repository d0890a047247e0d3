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
KEEP = "from fastlatent.utils.memory import tune_glibc_allocator; tune_glibc_allocator()"


def faults(first: str) -> int:
    """Pages that the system had to provide to ten tensors of 80 MB, each freed before the next."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS.format(first=first)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="an option of glibc")
def test_freed_memory_is_used_again():
    assert faults(KEEP) < faults("") / 4
