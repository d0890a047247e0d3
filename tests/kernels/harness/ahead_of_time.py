"""Triton kernels compiled ahead of time, for devices that need not be there, exactly as they would be launched.

`compiled_for` puts a driver in place that knows the device's architecture and launches nothing: the launch functions of
the backends run on tensors of the meta device, and each kernel that they launch is compiled with the types, constants
and options of that launch. It must be compiled, so TRITON_INTERPRET is not set in the process of these tests; kernels
are interpreted in a process of their own (test_interpreter.py).
"""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from fastlatent.kernels import gpu

triton = pytest.importorskip("triton", reason="triton is not installed (Linux only)")
if gpu.interpreted():
    pytest.skip("kernels are interpreted in this process, not compiled", allow_module_level=True)

from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.runtime.jit import JITFunction  # noqa: E402

# Shared memory that one block may have, in bytes, and the device that is meant: A100, H100, B200.
SHARED = {80: 163 * 1024, 90: 227 * 1024, 100: 227 * 1024}
CAPABILITIES = tuple(SHARED)
TENSOR_MEMORY = 512  # columns
# Bytes of local memory that a kernel may take: on a B200 what is saved around the call that allocates tensor memory.
STACK = {80: 0, 90: 0, 100: 64}


@dataclass(frozen=True)
class Kernel:
    """What one compiled kernel takes, from its machine code."""

    name: str
    capability: int
    constants: str
    shared: int
    tensor_memory: int  # columns
    registers: int
    stack: int  # bytes of local memory: what was spilled
    instructions: frozenset[str]

    def assert_fits(self) -> None:
        """It can be launched, and keeps everything in registers."""
        assert self.shared <= SHARED[self.capability], self
        assert self.tensor_memory <= TENSOR_MEMORY, self
        assert "EXIT" in self.instructions, f"compiled to a trap: {self}"
        assert self.stack <= STACK[self.capability], self

    @property
    def matrix_units(self) -> bool:
        """Whether products are done by the architecture's matrix instructions."""
        return any(name in self.instructions for name in ("HMMA", "HGMMA", "UTCHMMA"))


@contextlib.contextmanager
def compiled_for(capability: int) -> Iterator[list[Kernel]]:
    """Collect the kernels that are launched in the block, compiled for that compute capability (80, 90, 100)."""
    target = GPUTarget("cuda", capability, 32)
    driver = SimpleNamespace(
        get_current_target=lambda: target, get_current_device=lambda: capability, get_current_stream=lambda _: 0
    )
    found: dict[str, Kernel] = {}

    def compile_only(kernel: JITFunction, *args: Any, grid: Any, warmup: bool, **options: Any) -> None:
        made = compiling(kernel, *args, grid=grid, warmup=True, **options)
        if made.hash not in found:
            found[made.hash] = _kernel(made, capability)

    compiling = JITFunction.run
    kernels: list[Kernel] = []
    with (
        patch.object(triton.runtime.driver, "_active", driver),
        patch.object(JITFunction, "run", compile_only),
        patch.object(gpu, "has_tensor_memory", lambda _: capability >= 100),
        patch.object(gpu, "num_sms", lambda _: 132),
        patch.object(gpu, "on_device_of", lambda _: contextlib.nullcontext()),
    ):
        yield kernels
    kernels += found.values()


def _kernel(made: Any, capability: int) -> Kernel:
    tools = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    with TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        cubin.write_bytes(made.asm["cubin"])
        usage = _output(tools / "cuobjdump", "-res-usage", cubin)
        code = _output(tools / "nvdisasm", cubin)
    instructions = re.findall(r"^\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+ )?\s*([A-Z][A-Z0-9]*)", code, re.MULTILINE)
    taken = re.search(r"REG:(\d+) STACK:(\d+)", usage)
    assert taken is not None, usage
    assert instructions, code
    return Kernel(
        name=made.metadata.name,
        capability=capability,
        constants=str({made.src.fn.arg_names[k[0]]: v for k, v in made.src.constants.items()}),
        shared=made.metadata.shared,
        tensor_memory=made.metadata.tmem_size,
        registers=int(taken[1]),
        stack=int(taken[2]),
        instructions=frozenset(instructions),
    )


def _output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
