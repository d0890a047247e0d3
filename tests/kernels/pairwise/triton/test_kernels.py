"""The Triton kernels of the pairwise engine: every loss against float64 truth, tiles, weights, needs, precisions."""

from unittest.mock import patch

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels import gpu
from tests.truth.cases import CASES, CRAMER_WOLD, MMDS, with_gradients
from tests.truth.clouds import Clouds
from tests.truth.errors import errors_are_small

pytestmark = pytest.mark.usefixtures("on_triton")

IMQ = MMDS[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_error_is_at_most_twice_that_of_plain_pytorch(case, device):
    """Two tiles of x and one of y, with points that coincide within x and across."""
    errors_are_small(case, Clouds(33, 20, 12, duplicates=True), ("triton",), device, draws=1)


@pytest.mark.parametrize(
    "drawn",
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
def test_every_way_to_lay_points_out(case, drawn, device):
    errors_are_small(case, drawn, ("triton",), device, draws=1)


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("case", [IMQ, CRAMER_WOLD[0]], ids=str)
def test_only_what_is_wanted_is_computed_and_is_the_same(case, d, device):
    """Value alone walks one triangle; the gradient to y alone walks y."""
    x, y = (z.to(device) for z in Clouds(35, 18, d).draw(torch.float32))
    value, of_x, of_y = with_gradients(case, x, y)
    torch.testing.assert_close(case(x, y), value, rtol=1e-5, atol=1e-6)
    for found, expected in (
        (with_gradients(lambda x: case(x, y), x), of_x),
        (with_gradients(lambda y: case(x, y), y), of_y),
    ):
        torch.testing.assert_close(found, (value, expected), rtol=1e-4, atol=1e-6)


def test_batches_are_a_loop(device):
    x, y = torch.randn(2, 2, 19, 10, device=device), torch.randn(2, 2, 6, 10, device=device)
    value, of_x, of_y = with_gradients(fl.mmd_imq, x, y)
    assert value.shape == (2, 2)
    for i, j in ((0, 1), (1, 0)):
        torch.testing.assert_close(
            with_gradients(fl.mmd_imq, x[i, j], y[i, j]), (value[i, j], of_x[i, j], of_y[i, j]), rtol=1e-4, atol=1e-7
        )


@pytest.mark.parametrize("d", [3, 10])
def test_views_with_any_strides(d, device):
    x, y = torch.randn(d, 19, device=device).T, torch.randn(40, d, device=device)[::3]
    expected = with_gradients(fl.mmd_imq, x.contiguous(), y.contiguous())
    torch.testing.assert_close(with_gradients(fl.mmd_imq, x, y), expected, rtol=0, atol=0)


def test_columns_are_split_over_as_many_programs_as_the_device_wants(device):
    x, y = (z.to(device) for z in Clouds(100, 70, 10).draw(torch.float32))
    found = []
    for processors in (1, 6):
        with patch.object(gpu, "num_sms", lambda _, count=processors: count):
            found.append(with_gradients(fl.mmd_imq, x, y))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-6)


def test_gradients_are_the_same_in_the_narrower_chunks_of_tensor_memory(device):
    x, y = (z.to(device) for z in Clouds(33, 18, 200).draw(torch.float32))
    found = []
    for tensor_memory in (False, True):
        with patch.object(gpu, "has_tensor_memory", lambda _, has=tensor_memory: has):
            found.append(with_gradients(fl.mmd_imq, x, y))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("d", [3, 20])
@pytest.mark.parametrize("loss", [fl.mmd_imq, fl.polynomial_mmd], ids=lambda f: f.__name__)
def test_half_precision_is_read_as_it_is(loss, d, dtype, device):
    """Values are those of the very numbers in float32; gradients come out rounded to the dtype."""
    x, y = (z.to(device, dtype) for z in Clouds(33, 18, d).draw(torch.float32))
    found = with_gradients(loss, x, y)
    with fl.use_backend("reference"):
        expected = with_gradients(loss, x.double(), y.double())
    assert found[0].dtype == torch.float32
    torch.testing.assert_close(found[0].double(), expected[0], rtol=1e-4, atol=1e-5)
    for half, truth in zip(found[1:], expected[1:], strict=True):
        assert half.dtype == dtype
        error = (half.double() - truth).norm() / truth.norm()
        assert error < torch.finfo(dtype).eps


def test_where_pytorch_may_use_two_bfloat16_numbers_points_and_slopes_keep_their_digits(device):
    before = torch.get_float32_matmul_precision()
    x, y = (z.to(device) for z in Clouds(33, 18, 20).draw(torch.float32))
    try:
        torch.set_float32_matmul_precision("high")
        found = with_gradients(fl.mmd_imq, x, y)
    finally:
        torch.set_float32_matmul_precision(before)
    value, *gradients = with_gradients(fl.mmd_imq, x, y)
    assert found[0] != value
    torch.testing.assert_close(found[0], value, rtol=0, atol=1e-4)
    for short, full in zip(found[1:], gradients, strict=True):
        assert (short - full).norm() < 1e-4 * full.norm()


def test_nan_in_gives_nan_out(device):
    x, y = torch.randn(20, 10, device=device), torch.randn(9, 10, device=device)
    x[3, 4] = float("nan")
    value, of_x, _ = with_gradients(fl.mmd_imq, x, y)
    assert value.isnan()
    assert of_x.isnan().all()


@pytest.mark.parametrize("d", [1, 3, 12, 100])
def test_the_lowest_of_equals_is_the_nearest(d, device):
    y = torch.randn(5, d, device=device).repeat(8, 1)
    index, squared = fl.nearest(y[:7], y)
    assert index.tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert (squared == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("d", [2, 17])
def test_nearest_is_the_references(d, dtype, device):
    x, y = torch.randn(2, 33, d, device=device).to(dtype), torch.randn(2, 41, d, device=device).to(dtype)
    index, squared = fl.nearest(x, y)
    with fl.use_backend("reference"):
        expected, least = fl.nearest(x, y)
    torch.testing.assert_close(squared, least, rtol=1e-5, atol=1e-6)  # another only where they are as near
    assert (index == expected).float().mean() > 0.9


@pytest.mark.parametrize("d", [3, 12])
def test_points_that_are_no_numbers_do_not_spoil_the_others(d, device):
    x, y = torch.randn(5, d, device=device), torch.randn(40, d, device=device)
    expected = fl.nearest(x, y[1:])[0] + 1
    y[0, 0] = float("inf")
    assert fl.nearest(x, y)[0].equal(expected)
    x[2, 0] = float("nan")
    assert fl.nearest(x, y)[0][[0, 1, 3, 4]].equal(expected[[0, 1, 3, 4]])
    y[30, 1], x[3, 1] = float("nan"), float("inf")
    assert fl.nearest(x, y)[0][[0, 1, 3, 4]].tolist() == [30] * 4


def test_chamfer_is_served(device):
    x = torch.cartesian_prod(*[torch.arange(3.0, device=device)] * 3)
    assert fl.chamfer_distance(x, x + 0.25).item() == pytest.approx(2 * 3 * 0.25**2)
