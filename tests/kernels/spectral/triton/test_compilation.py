"""Spectral kernels compiled ahead of time, for every entry of the tile tables: they fit and use tensor cores."""

import pytest
import torch

from tests.kernels.harness.ahead_of_time import CAPABILITIES, compiled_for

# After the harness, which skips this file where triton is not installed.
from fastlatent.kernels.spectral.triton import launch as triton  # isort: skip

pytestmark = pytest.mark.slow


def test_kernels_compile_for_sizes_of_1():
    with compiled_for(90) as kernels:
        triton.frechet([torch.empty(1, 2, 1, device="meta")], 0.5, (True,))
    assert len(kernels) == 5


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("d", sorted(triton.TILES_32))
def test_kernels_fit_and_use_tensor_cores(capability, d):
    samples = [torch.empty(2, n, d, device="meta") for n in (4 * d, 3 * d)]
    with compiled_for(capability) as kernels:
        triton.frechet(samples, 0.0, (True, True))
        triton.frechet(samples[:1], 0.0, (True,))  # without a second sample the kernels omit its terms
    names = {kernel.name for kernel in kernels}
    assert names == {"moments_kernel", "covariance_kernel", "means_kernel", "gradient_kernel"}
    for kernel in kernels:
        kernel.assert_fits()
        if kernel.name == "gradient_kernel" or "'AGAIN': False" in kernel.constants:  # the others compute in float64
            assert kernel.tensor_cores, kernel
