"""Triton kernels of the pairwise engine: every loss against float64 truth; tiles, layouts, gradients, dtypes."""

from unittest.mock import patch

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels import gpu
from tests.truth.cases import CASES, CRAMER_WOLD, MMDS, with_gradients
from tests.truth.clouds import Clouds
from tests.truth.errors import assert_errors_small

pytestmark = pytest.mark.usefixtures("on_triton")

IMQ = MMDS[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_error_at_most_twice_that_of_pytorch(case, device):
    """Two tiles of x and one of y, with points that coincide within x and between x and y."""
    assert_errors_small(case, Clouds(33, 20, 12, duplicates=True), ("triton",), device, draws=1)


@pytest.mark.parametrize(
    "points",
    [
        Clouds(2, 3, 3),
        Clouds(16, 17, 8),
        Clouds(31, 32, 9),
        Clouds(33, 5, 200, scale=0.1),  # coordinates in chunks
        Clouds(40, 24, 16, scale=1e3),  # too far apart for a common denominator
        Clouds(17, 21, 3, offset=1e4),
        Clouds(17, 21, 20, offset=1e4),
    ],
    ids=str,
)
@pytest.mark.parametrize("case", [IMQ, next(c for c in MMDS if c.name == "energy-biased")], ids=str)
def test_error_in_every_point_layout(case, points, device):
    assert_errors_small(case, points, ("triton",), device, draws=1)


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("case", [IMQ, CRAMER_WOLD[0]], ids=str)
def test_value_and_single_gradients_match_joint_computation(case, d, device):
    """The value alone needs one triangle of tiles; the gradient by y alone needs the tiles of y."""
    x, y = (z.to(device) for z in Clouds(35, 18, d).draw(torch.float32))
    value, x_gradient, y_gradient = with_gradients(case, x, y)
    torch.testing.assert_close(case(x, y), value, rtol=1e-5, atol=1e-6)
    for result, expected in (
        (with_gradients(lambda x: case(x, y), x), x_gradient),
        (with_gradients(lambda y: case(x, y), y), y_gradient),
    ):
        torch.testing.assert_close(result, (value, expected), rtol=1e-4, atol=1e-6)


def test_batch_matches_loop(device):
    x, y = torch.randn(2, 2, 19, 10, device=device), torch.randn(2, 2, 6, 10, device=device)
    value, *gradients = with_gradients(fl.mmd_imq, x, y)
    assert value.shape == (2, 2)
    for i, j in ((0, 1), (1, 0)):
        torch.testing.assert_close(
            with_gradients(fl.mmd_imq, x[i, j], y[i, j]),
            (value[i, j], *(g[i, j] for g in gradients)),
            rtol=1e-4,
            atol=1e-7,
        )


@pytest.mark.parametrize("d", [3, 10])
def test_views_match_contiguous_copies(d, device):
    x, y = torch.randn(d, 19, device=device).T, torch.randn(40, d, device=device)[::3]
    expected = with_gradients(fl.mmd_imq, x.contiguous(), y.contiguous())
    torch.testing.assert_close(with_gradients(fl.mmd_imq, x, y), expected, rtol=0, atol=0)


def test_number_of_programs_invariant(device):
    x, y = (z.to(device) for z in Clouds(100, 70, 10).draw(torch.float32))
    results = []
    for num_sms in (1, 6):
        with patch.object(gpu, "num_sms", lambda _, count=num_sms: count):
            results.append(with_gradients(fl.mmd_imq, x, y))
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-6)


def test_gradients_bitwise_identical_in_tensor_memory_chunks(device):
    x, y = (z.to(device) for z in Clouds(33, 18, 200).draw(torch.float32))
    results = []
    for tensor_memory in (False, True):
        with patch.object(gpu, "has_tensor_memory", lambda _, has=tensor_memory: has):
            results.append(with_gradients(fl.mmd_imq, x, y))
    torch.testing.assert_close(*results, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("d", [3, 20])
@pytest.mark.parametrize("loss", [fl.mmd_imq, fl.polynomial_mmd], ids=lambda f: f.__name__)
def test_half_precision_matches_float64(loss, d, dtype, device):
    """Values are computed in float32 from the half-precision inputs; gradients are rounded to the dtype."""
    x, y = (z.to(device, dtype) for z in Clouds(33, 18, d).draw(torch.float32))
    value, *gradients = with_gradients(loss, x, y)
    with fl.use_backend("reference"):
        expected, *exact_gradients = with_gradients(loss, x.double(), y.double())
    assert value.dtype == torch.float32
    torch.testing.assert_close(value.double(), expected, rtol=1e-4, atol=1e-5)
    for half, truth in zip(gradients, exact_gradients, strict=True):
        assert half.dtype == dtype
        error = (half.double() - truth).norm() / truth.norm()
        assert error < torch.finfo(dtype).eps


def test_gradients_are_accurate_at_high_matmul_precision(device):
    before = torch.get_float32_matmul_precision()
    x, y = (z.to(device) for z in Clouds(33, 18, 20).draw(torch.float32))
    try:
        torch.set_float32_matmul_precision("high")
        high, *high_gradients = with_gradients(fl.mmd_imq, x, y)
    finally:
        torch.set_float32_matmul_precision(before)
    value, *gradients = with_gradients(fl.mmd_imq, x, y)
    assert high != value
    torch.testing.assert_close(high, value, rtol=0, atol=1e-4)
    for high_gradient, gradient in zip(high_gradients, gradients, strict=True):
        assert (high_gradient - gradient).norm() < 1e-4 * gradient.norm()


def test_nan_propagates(device):
    x, y = torch.randn(20, 10, device=device), torch.randn(9, 10, device=device)
    x[3, 4] = float("nan")
    value, x_gradient, _ = with_gradients(fl.mmd_imq, x, y)
    assert value.isnan()
    assert x_gradient.isnan().all()


@pytest.mark.parametrize("d", [1, 3, 12, 100])
def test_nearest_takes_lowest_index_of_ties(d, device):
    y = torch.randn(5, d, device=device).repeat(8, 1)
    index, squared = fl.nearest(y[:7], y)
    assert index.tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert (squared == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("d", [2, 17])
def test_nearest_matches_reference(d, dtype, device):
    x, y = torch.randn(2, 33, d, device=device).to(dtype), torch.randn(2, 41, d, device=device).to(dtype)
    index, squared = fl.nearest(x, y)
    with fl.use_backend("reference"):
        expected, expected_squared = fl.nearest(x, y)
    torch.testing.assert_close(squared, expected_squared, rtol=1e-5, atol=1e-6)
    assert (index == expected).float().mean() > 0.9  # the others are ties up to rounding


@pytest.mark.parametrize("d", [3, 12])
def test_nan_inf_points_do_not_affect_other_neighbors(d, device):
    x, y = torch.randn(5, d, device=device), torch.randn(40, d, device=device)
    expected = fl.nearest(x, y[1:])[0] + 1
    y[0, 0] = float("inf")
    assert fl.nearest(x, y)[0].equal(expected)
    x[2, 0] = float("nan")
    assert fl.nearest(x, y)[0][[0, 1, 3, 4]].equal(expected[[0, 1, 3, 4]])
    y[30, 1], x[3, 1] = float("nan"), float("inf")
    assert fl.nearest(x, y)[0][[0, 1, 3, 4]].tolist() == [30] * 4


def test_chamfer_of_shifted_lattice(device):
    x = torch.cartesian_prod(*[torch.arange(3.0, device=device)] * 3)
    assert fl.chamfer_distance(x, x + 0.25).item() == pytest.approx(2 * 3 * 0.25**2)
