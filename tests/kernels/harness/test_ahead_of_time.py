"""The harness of ahead-of-time compilation: kernels are compiled as launched, and their machine code is parsed."""

import pytest
import torch

from tests.kernels.harness.ahead_of_time import CAPABILITIES, compiled_for

triton = pytest.importorskip("triton", reason="triton is not installed (Linux only)")
tl = triton.language


@triton.jit
def matmul(x, y, out, n, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)[:, None] * n + tl.arange(0, SIZE)[None, :]
    tl.store(out + at, tl.dot(tl.load(x + at), tl.load(y + at), input_precision="tf32"))


def launch(**options):
    x = torch.empty(64, 64, device="meta")
    matmul[1,](x, x, x, 64, SIZE=64, num_warps=4, **options)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_launched_kernel_is_compiled_once_for_tensor_cores(capability):
    with compiled_for(capability) as kernels:
        launch()
        launch()
    (kernel,) = kernels
    assert kernel.name == "matmul"
    assert "'SIZE': 64" in kernel.constants
    assert kernel.tensor_cores
    kernel.assert_fits()


def test_few_registers_spill():
    with compiled_for(80) as kernels:
        launch(maxnreg=32)
    with pytest.raises(AssertionError, match="stack="):
        kernels[0].assert_fits()
