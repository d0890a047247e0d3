"""Ahead-of-time compilation of Triton kernels for CUDA devices that this machine does not have.

`compiled_for` replaces Triton's driver by one of the given architecture that launches nothing. The launch functions of
the backends run on tensors of the meta device; each kernel that they launch is compiled with the types, constants and
options of that launch. Triton keeps compiled kernels on disk, keyed by source, options and target (TRITON_CACHE_DIR),
so processes share them and a second run compiles nothing. Interpreted kernels cannot be compiled: they run in processes
of their own (test_interpreter.py).
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

# Maximum shared memory per block in bytes by compute capability: A100, H100, B200.
SHARED = {80: 163 * 1024, 90: 227 * 1024, 100: 227 * 1024}
CAPABILITIES = tuple(SHARED)
TENSOR_MEMORY = 512  # columns
# Maximum local memory per thread in bytes: a B200 saves registers around the call that allocates tensor memory.
STACK = {80: 0, 90: 0, 100: 64}


@dataclass(frozen=True)
class Kernel:
    """Resources and instructions of a compiled kernel, read from its machine code."""

    name: str
    capability: int
    constants: str
    shared: int
    tensor_memory: int  # columns
    registers: int
    stack: int  # bytes of local memory: spilled registers
    instructions: frozenset[str]

    def assert_fits(self) -> None:
        """Assert that the kernel can be launched and spills no registers."""
        assert self.shared <= SHARED[self.capability], self
        assert self.tensor_memory <= TENSOR_MEMORY, self
        assert "EXIT" in self.instructions, f"compiled to a trap: {self}"
        assert self.stack <= STACK[self.capability], self

    @property
    def tensor_cores(self) -> bool:
        """Whether matmuls use the tensor cores of the architecture."""
        return any(name in self.instructions for name in ("HMMA", "HGMMA", "UTCHMMA"))


@contextlib.contextmanager
def compiled_for(capability: int) -> Iterator[list[Kernel]]:
    """Collect the kernels launched in the block, compiled for a compute capability (80, 90 or 100)."""
    target = GPUTarget("cuda", capability, 32)
    driver = SimpleNamespace(
        get_current_target=lambda: target, get_current_device=lambda: capability, get_current_stream=lambda _: 0
    )
    by_hash: dict[str, Kernel] = {}

    def compile_only(kernel: JITFunction, *args: Any, grid: Any, warmup: bool, **options: Any) -> None:
        compiled = run(kernel, *args, grid=grid, warmup=True, **options)
        if compiled.hash not in by_hash:
            by_hash[compiled.hash] = _kernel(compiled, capability)

    run = JITFunction.run
    kernels: list[Kernel] = []
    with (
        patch.object(triton.runtime.driver, "_active", driver),
        patch.object(JITFunction, "run", compile_only),
        patch.object(gpu, "has_tensor_memory", lambda _: capability >= 100),
        patch.object(gpu, "num_sms", lambda _: 132),
        patch.object(gpu, "on_device_of", lambda _: contextlib.nullcontext()),
    ):
        yield kernels
    kernels += by_hash.values()


def _kernel(compiled: Any, capability: int) -> Kernel:
    tools = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
    with TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        cubin.write_bytes(compiled.asm["cubin"])
        usage = _output(tools / "cuobjdump", "-res-usage", cubin)
        code = _output(tools / "nvdisasm", cubin)
    instructions = re.findall(r"^\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+ )?\s*([A-Z][A-Z0-9]*)", code, re.MULTILINE)
    resources = re.search(r"REG:(\d+) STACK:(\d+)", usage)
    assert resources is not None, usage
    assert instructions, code
    return Kernel(
        name=compiled.metadata.name,
        capability=capability,
        constants=str({compiled.src.fn.arg_names[k[0]]: v for k, v in compiled.src.constants.items()}),
        shared=compiled.metadata.shared,
        tensor_memory=compiled.metadata.tmem_size,
        registers=int(resources[1]),
        stack=int(resources[2]),
        instructions=frozenset(instructions),
    )


def _output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
