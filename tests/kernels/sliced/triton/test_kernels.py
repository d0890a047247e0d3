"""Triton kernels of the sliced engine against the reference in float64: sizes, ties, options, gradients."""

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels.sliced import EppsPulley, SlicedDistance
from fastlatent.kernels.sliced.triton import launch as triton
from fastlatent.losses.directions import random_directions
from tests.kernels.sliced.lattices import SlicedOperation, assert_matches_reference, axes, lattice, value_and_gradients

pytestmark = pytest.mark.usefixtures("on_triton")


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=["one program", "chunks"])
def column(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sorts of a column, at sizes small enough for the interpreter."""
    if request.param == "chunks":
        for name, small in (
            ("MAX_SINGLE_LAUNCH", 0),
            ("MAX_SINGLE_LAUNCH_UNEQUAL", 0),
            ("CHUNK", 64),
            ("KEYS_PER_PROGRAM", 64),
        ):
            monkeypatch.setattr(triton, name, small)


@pytest.mark.usefixtures("column")
@pytest.mark.parametrize(
    ("n", "m", "p", "needs_grad"),
    [
        (1, 1, 2, (True, True, False)),
        (2, 3, 1, (True, True, True)),
        (65, 65, 3, (True, False, True)),
        (129, 40, 1.5, (False, True, False)),
    ],
)
def test_matches_reference_with_tied_projections(
    n: int, m: int, p: float, needs_grad: tuple[bool, ...], device: str
) -> None:
    inputs = (lattice(n, 3, device=device), lattice(m, 3, device=device), axes(3, 3, device))
    assert_matches_reference(SlicedDistance(p), inputs, needs_grad)


@pytest.mark.usefixtures("column")
def test_normal_matches_reference(device: str) -> None:
    means = fl.losses.sliced.normal_quantile_means(70, torch.float32, torch.device(device))
    assert_matches_reference(
        SlicedDistance(2, normal=True), (lattice(70, 3, device=device), means, axes(3, 2, device)), (True, False, False)
    )


@pytest.mark.usefixtures("column")
def test_projections_per_batch_match_reference(device: str) -> None:
    x, y = lattice(2, 20, 2, device=device), lattice(2, 17, 2, device=device)
    theta = torch.stack([axes(2, 3, device), -axes(2, 3, device)])
    assert_matches_reference(SlicedDistance(2), (x, y, theta), (True, True, True))


def test_blocks_of_projections_add_up(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "MAX_PROJECTIONS", 100)
    inputs = (lattice(20, 3, device=device), lattice(20, 3, device=device), axes(3, 7, device))
    assert_matches_reference(SlicedDistance(2), inputs, (True, True, True))


@pytest.mark.parametrize(("n", "d", "count"), [(5, 35, 18), (70, 3, 2)])
def test_random_projections_match_reference(n: int, d: int, count: int, device: str) -> None:
    x, y = torch.randn(n, d, device=device), torch.randn(n, d, device=device)
    assert_matches_reference(
        SlicedDistance(2), (x, y, random_directions(d, count, device=device)), (True, False, False)
    )


@pytest.mark.parametrize("n_points", [2, 3, 16, 17])
@pytest.mark.parametrize(("n", "count"), [(2, 1), (70, 9)])
def test_epps_pulley_matches_reference(
    n: int, count: int, n_points: int, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample is far from normal: near the minimum the statistic is a small difference of large numbers."""
    monkeypatch.setattr(triton, "ROWS_PER_STEP", 64)
    inputs = (3 * torch.rand(n, 5, device=device) + 1, random_directions(5, count, device=device))
    assert_matches_reference(EppsPulley(n_points, 3.0), inputs, (True, True))


@pytest.mark.usefixtures("column")
def test_nan_inf_propagate(device: str) -> None:
    x, y, theta = lattice(66, 3, device=device), lattice(66, 3, device=device), axes(3, 3, device)
    x[7, 1] = -torch.nan
    value, gradient = value_and_gradients(SlicedDistance(2), (x, y, theta), (True, False, False))
    assert value.isnan()
    assert gradient[7].isnan().any()
    assert gradient[torch.arange(66) != 7].isfinite().all()
    x[7, 1] = torch.inf
    assert not SlicedDistance(2)(x, y, theta).isfinite()  # ∞ times a direction's 0 is NaN
    assert EppsPulley(17, 3.0)(x, theta).isnan()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype, device: str) -> None:
    x, y = lattice(20, 3, device=device).to(dtype), lattice(20, 3, device=device).to(dtype)
    theta = axes(3, 4, device)
    value, gradient = value_and_gradients(SlicedDistance(2), (x, y, theta), (True, False, False))
    whole, exact = value_and_gradients(SlicedDistance(2), (x.float(), y.float(), theta), (True, False, False))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, whole)
    torch.testing.assert_close(gradient, exact.to(dtype))


@pytest.mark.parametrize("operation", [SlicedDistance(2), EppsPulley(5, 3.0)], ids=["sliced", "epps_pulley"])
def test_autocast_invariant(operation: SlicedOperation, device: str) -> None:
    x, y, theta = torch.randn(20, 3, device=device), torch.randn(20, 3, device=device), axes(3, 4, device)
    inputs, needs_grad = (
        ((x, y, theta), (True, False, False)) if isinstance(operation, SlicedDistance) else ((x, theta), (True, False))
    )
    outside = value_and_gradients(operation, inputs, needs_grad)
    with torch.autocast(device, dtype=torch.bfloat16):
        inside = value_and_gradients(operation, inputs, needs_grad)
    torch.testing.assert_close(inside, outside, rtol=0, atol=0)


def test_views_match_contiguous_copies(device: str) -> None:
    big = lattice(40, 10, device=device)
    x, y, theta = big[::2, 1:4], big[1::2, 6:9], axes(3, 4, device)
    actual = value_and_gradients(SlicedDistance(2), (x, y, theta), (True, True, False))
    copies = value_and_gradients(SlicedDistance(2), (x.contiguous(), y.contiguous(), theta), (True, True, False))
    assert all(torch.equal(a, b) for a, b in zip(actual, copies, strict=True))


def test_max_sliced_equals_squared_norm_of_shift(device: str) -> None:
    """Ascent on the sphere uses the gradient by the directions."""
    x, shift = lattice(16, 2, device=device), torch.tensor([3.0, -4.0], device=device)
    assert fl.max_sliced_wasserstein(x, x + shift, n_projections=2, steps=10).item() == pytest.approx(25, rel=1e-3)


def test_unsupported_options_are_errors(device: str) -> None:
    x, theta = torch.randn(6, 3, device=device), torch.eye(3, device=device)
    with pytest.raises(ValueError, match="it does not support weights"):
        fl.sliced_wasserstein(x, x, projections=theta, x_weights=torch.ones(6, device=device))
    with pytest.raises(ValueError, match="it does not support generalized slices"):
        fl.sliced_wasserstein(x, x, projections=lambda points: points)
    with pytest.raises(ValueError, match="it computes in float32"):
        fl.sliced_wasserstein(x.double(), x.double(), projections=theta)
