"""Pairwise kernels compiled ahead of time: they fit the devices, spill no registers and use the tensor cores."""

import pytest
import torch

from fastlatent.kernels.pairwise import kummer
from tests.kernels.harness.ahead_of_time import CAPABILITIES, compiled_for

# After the harness, which skips this file where triton is not installed.
from fastlatent.kernels.pairwise.triton import launch as triton  # isort: skip

pytestmark = pytest.mark.slow

# Points, coordinates, dtype: every tile shape of the table with its widest layout, and every layout of points.
TABLE = [
    (4096, 64, torch.float32),
    (4096, 64, torch.float16),
    (4096, 64, torch.bfloat16),
    (4096, 1024, torch.float32),
    (4096, 8, torch.float32),
    (512, 64, torch.float32),
    (16, 64, torch.float32),
]
IMQ = tuple(scale * 128 for scale in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0))
PROFILES = {
    "imq": tuple(float(c) for c in range(1, 13)),  # too many for one denominator
    "gaussian": (0.5, 1.0, 4.0),
    "laplace": (0.5, 2.0),
    "rational_quadratic": (0.2, 0.5, 1.0, 2.0, 5.0),
    "energy": (),
    "inverse_root": (0.1,),
    "kummer": (0.3, kummer.RATE, *sum(kummer.coefficients(12, torch.float32), ())),
    "polynomial": (0.1, 1.0, 3.0),
}


def points(n, d, dtype=torch.float32):
    return torch.empty(n, d, dtype=dtype, device="meta")


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize(("n", "d", "dtype"), TABLE, ids=str)
def test_every_tile_fits(n, d, dtype, capability):
    x = points(n, d, dtype)
    with compiled_for(capability) as kernels:
        triton.pairwise_sum(x, x, "imq", IMQ, (1.0, -2.0, 1.0), False, (True, False))
    assert [k.name for k in kernels] == ["pack_points", "sum_pairs", "sum_pairs", "reduce_partials"]
    for kernel in kernels:
        kernel.assert_fits()
        assert kernel.tensor_cores == (kernel.name == "sum_pairs" and d > triton.FEW_COORDINATES)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_fits(profile):
    x = points(512, 12)
    with compiled_for(90) as kernels:
        triton.pairwise_sum(x, x, profile, PROFILES[profile], (1.0, 0.0, 0.0), False, (True, False))
    for kernel in kernels:
        kernel.assert_fits()


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("d", [3, 64, 1024])
def test_nearest_fits(d, capability):
    with compiled_for(capability) as kernels:
        triton.nearest(points(2048, d), points(2048, d))
    assert len(kernels) == (1 if d <= triton.FEW_COORDINATES else 2)
    for kernel in kernels:
        kernel.assert_fits()
