"""The harness itself: kernels are compiled as they are launched, and their machine code is read rightly."""

import pytest
import torch

from tests.kernels.harness.ahead_of_time import CAPABILITIES, compiled_for

triton = pytest.importorskip("triton", reason="triton is not installed (Linux only)")
tl = triton.language


@triton.jit
def product(x, y, out, n, SIZE: tl.constexpr):
    at = tl.arange(0, SIZE)[:, None] * n + tl.arange(0, SIZE)[None, :]
    tl.store(out + at, tl.dot(tl.load(x + at), tl.load(y + at), input_precision="tf32"))


def launch(**options):
    x = torch.empty(64, 64, device="meta")
    product[1,](x, x, x, 64, SIZE=64, num_warps=4, **options)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_what_is_launched_is_compiled_once_and_runs_on_the_matrix_units(capability):
    with compiled_for(capability) as kernels:
        launch()
        launch()
    (kernel,) = kernels
    assert kernel.name == "product"
    assert "'SIZE': 64" in kernel.constants
    assert kernel.matrix_units
    kernel.assert_fits()


def test_with_few_registers_it_spills():
    with compiled_for(80) as kernels:
        launch(maxnreg=32)
    with pytest.raises(AssertionError, match="stack="):
        kernels[0].assert_fits()
