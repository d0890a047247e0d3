"""Properties of sliced Wasserstein distances, on every CPU backend."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from torch import Tensor

import fastlatent
from fastlatent import max_sliced_wasserstein, sliced_wasserstein, sliced_wasserstein_normal
from fastlatent.losses.directions import random_directions
from fastlatent.losses.sliced import normal_quantile_means

pytestmark = pytest.mark.usefixtures("backend", "seed")


def cloud(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def quantile_distance(u: np.ndarray, v: np.ndarray, p: float) -> float:
    """∫₀¹ |F⁻¹(q) − G⁻¹(q)|^p dq, with repeated points so that both samples have n·m."""
    u, v = np.repeat(np.sort(u), len(v)), np.repeat(np.sort(v), len(u))
    return float(np.mean(np.abs(u - v) ** p))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 4), (7, 7), (20, 13), (12, 18), (30, 60)])
def test_order_one_equals_scipys_wasserstein_distance(n: int, m: int) -> None:
    x, y, theta = cloud(n, 3), cloud(m, 3), random_directions(3, 5, dtype=torch.float64)
    expected = np.mean([stats.wasserstein_distance((x @ t).numpy(), (y @ t).numpy()) for t in theta.T])
    assert sliced_wasserstein(x, y, p=1, projections=theta).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("p", [1, 1.5, 2, 4])
@pytest.mark.parametrize(("n", "m"), [(9, 9), (10, 4), (6, 15)])
def test_other_orders_equal_the_quantile_integral(p: float, n: int, m: int) -> None:
    x, y, theta = cloud(n, 3), cloud(m, 3), random_directions(3, 5, dtype=torch.float64)
    expected = np.mean([quantile_distance((x @ t).numpy(), (y @ t).numpy(), p) for t in theta.T])
    assert sliced_wasserstein(x, y, p=p, projections=theta).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_shift_in_closed_form(p: float) -> None:
    x, shift, theta = cloud(50, 4), cloud(4), random_directions(4, 20, dtype=torch.float64)
    expected = (shift @ theta).abs().pow(p).mean()
    torch.testing.assert_close(sliced_wasserstein(x, x + shift, p=p, projections=theta), expected)


def test_gaussians_converge_to_their_closed_form() -> None:
    n, scales, mean = 40_000, torch.tensor([1.0, 2.0, 0.5]), torch.tensor([0.3, 0.0, -1.0])
    theta = random_directions(3, 30)
    x, y = torch.randn(n, 3) * scales + mean, torch.randn(n, 3)
    deviation = (theta * scales.unsqueeze(1)).norm(dim=0)
    expected = ((mean @ theta).square() + (deviation - 1).square()).mean()
    # the standard error of a mean of n squares is 1/√n
    assert sliced_wasserstein(x, y, projections=theta) == pytest.approx(expected.item(), abs=3 / math.sqrt(n))
    assert sliced_wasserstein_normal(x, projections=theta) == pytest.approx(expected.item(), abs=3 / math.sqrt(n))


@pytest.mark.parametrize("n", [1, 2, 3, 10, 11])
def test_distance_to_the_normal_equals_the_quantile_integral(n: int) -> None:
    x = cloud(n, 1).sort(dim=0).values
    expected = sum(
        integrate.quad(
            lambda z, i=i: (x[i].item() - z) ** 2 * stats.norm.pdf(z), *stats.norm.ppf([i / n, (i + 1) / n])
        )[0]
        for i in range(n)
    )
    one = torch.ones(1, 1, dtype=torch.float64)
    # each integral has an error of about 1.5e-8
    assert sliced_wasserstein_normal(x, projections=one).item() == pytest.approx(expected, rel=1e-8)


def test_normal_quantile_means_are_odd_with_variance_near_1() -> None:
    means = normal_quantile_means(101, torch.float64, torch.device("cpu"))
    torch.testing.assert_close(means, -means.flip(0), rtol=0, atol=0)
    assert 0.9 < means.square().mean() < 1


@given(n=st.integers(2, 6), m=st.integers(2, 6), seed=st.integers(0, 2**16), p=st.sampled_from([1, 2, 3]))
def test_gradient_to_weights_is_a_subgradient_at_equal_and_zero_weights(n: int, m: int, seed: int, p: int) -> None:
    """W_p^p is convex in the masses a: W(a + h) ≥ W(a) + ⟨g, h⟩ for all h with Σh = 0 and a + h ≥ 0."""
    generator = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(k, 1, dtype=torch.float64, generator=generator) for k in (n, m))
    theta = torch.ones(1, 1, dtype=torch.float64)

    def distance(masses: Tensor) -> Tensor:
        with fastlatent.use_backend("reference"):
            return sliced_wasserstein(x, y, p=p, projections=theta, x_weights=masses)

    a = torch.randint(0, 3, (n,), generator=generator).double()  # equal cumulative masses, and points without mass
    a[seed % n] += 1
    a.requires_grad_()
    value = distance(a)
    (g,) = torch.autograd.grad(value, a)
    for _ in range(5):
        other = torch.rand(n, dtype=torch.float64, generator=generator) + 1e-6
        h = other * (a.sum() / other.sum()) - a
        for step in (1.0, 1e-3):
            assert distance((a + step * h).detach()) >= value + step * (g @ h) - 1e-12 * (1 + value)


def test_gradient_to_weights_is_the_derivative_in_feasible_directions() -> None:
    """Points 0 and 1 with masses (1, 0) against (½, ½): mass can only move to the second point, at the rate −1."""
    points, theta = torch.tensor([[0.0], [1.0]]), torch.ones(1, 1)
    masses = torch.tensor([1.0, 0.0], requires_grad=True)
    with fastlatent.use_backend("reference"):
        sliced_wasserstein(points, points, projections=theta, x_weights=masses).backward()
    assert masses.grad.tolist() == [0.0, -1.0]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31), st.sampled_from([1, 2, 3]))
@settings(max_examples=30, deadline=None)
def test_integer_weights_equal_repeated_points(n: int, m: int, seed: int, p: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(k, 2, generator=generator, dtype=torch.float64) for k in (n, m))
    a, b = (torch.randint(1, 4, (k,), generator=generator) for k in (n, m))
    theta = random_directions(2, 4, generator=generator, dtype=torch.float64)
    with fastlatent.use_backend("reference"):
        weighted = sliced_wasserstein(x, y, p=p, projections=theta, x_weights=a.double(), y_weights=b.double())
        repeated = sliced_wasserstein(x.repeat_interleave(a, 0), y.repeat_interleave(b, 0), p=p, projections=theta)
    torch.testing.assert_close(weighted, repeated)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_symmetric_nonnegative_and_permutation_invariant(n: int, m: int, d: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(k, d, generator=generator, dtype=torch.float64) for k in (n, m))
    theta = random_directions(d, 3, generator=generator, dtype=torch.float64)
    value = sliced_wasserstein(x, y, projections=theta)
    assert value >= 0
    torch.testing.assert_close(sliced_wasserstein(y, x, projections=theta), value)
    shuffled = x[torch.randperm(n, generator=generator)]
    torch.testing.assert_close(sliced_wasserstein(shuffled, y, projections=theta), value)
    # the rounding of a matmul depends on the position of a row: equal projections may differ by 1e-15
    assert sliced_wasserstein(x, shuffled, projections=theta) == pytest.approx(0, abs=1e-28)


def test_invariant_to_rotation_of_samples_and_directions() -> None:
    x, y, theta = cloud(30, 4), cloud(20, 4), random_directions(4, 6, dtype=torch.float64)
    q, _ = torch.linalg.qr(cloud(4, 4))
    rotated = sliced_wasserstein(x @ q, y @ q, projections=q.T @ theta)
    torch.testing.assert_close(rotated, sliced_wasserstein(x, y, projections=theta))


def test_directions_are_orthonormal_and_determined_by_the_generator() -> None:
    theta = random_directions(4, 10, orthogonal=True, dtype=torch.float64)
    torch.testing.assert_close(theta[:, :4].T @ theta[:, :4], torch.eye(4, dtype=torch.float64))
    torch.testing.assert_close(theta.norm(dim=0), torch.ones(10, dtype=torch.float64))
    x, y = cloud(9, 4), cloud(9, 4)
    values = [sliced_wasserstein(x, y, generator=torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(*values)


def test_orthonormal_bases_are_exact_for_a_shift() -> None:
    x, shift = cloud(10, 4), cloud(4)
    value = sliced_wasserstein(x, x + shift, n_projections=8, orthogonal=True)
    torch.testing.assert_close(value, shift.square().sum() / 4)


def test_batch_equals_separate_calls() -> None:
    x, y, theta = cloud(2, 3, 7, 2), cloud(2, 3, 5, 2), random_directions(2, 4, dtype=torch.float64)
    value = sliced_wasserstein(x, y, projections=theta)
    assert value.shape == (2, 3)
    torch.testing.assert_close(value[1, 2], sliced_wasserstein(x[1, 2], y[1, 2], projections=theta))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    x, y, theta = torch.randn(20, 3).to(dtype).requires_grad_(), torch.randn(20, 3).to(dtype), random_directions(3, 4)
    value = sliced_wasserstein(x, y, projections=theta)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, sliced_wasserstein(x.float(), y.float(), projections=theta))
    value.backward()
    assert x.grad is not None
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("p", [2, 3])
def test_first_and_second_derivatives_away_from_ties(p: float) -> None:
    x, y, theta = (
        cloud(5, 2).requires_grad_(),
        cloud(4, 2).requires_grad_(),
        random_directions(2, 3, dtype=torch.float64),
    )
    assert torch.autograd.gradcheck(lambda x, y: sliced_wasserstein(x, y, p=p, projections=theta), (x, y))
    assert torch.autograd.gradgradcheck(lambda x, y: sliced_wasserstein(x, y, p=p, projections=theta), (x, y))
    assert torch.autograd.gradcheck(lambda x: sliced_wasserstein_normal(x, projections=theta), x)
    assert torch.autograd.gradgradcheck(lambda x: sliced_wasserstein_normal(x, projections=theta), x)


class TestReferenceOnly:
    @pytest.fixture(autouse=True)
    def reference(self, backend: str) -> Iterator[None]:
        with fastlatent.use_backend("reference"):
            yield

    def test_linear_generalized_slices_equal_projections(self) -> None:
        x, y, theta = cloud(9, 3), cloud(6, 3), random_directions(3, 4, dtype=torch.float64)
        general = sliced_wasserstein(x, y, projections=lambda points: points @ theta)
        torch.testing.assert_close(general, sliced_wasserstein(x, y, projections=theta))

    def test_max_sliced_equals_the_squared_norm_of_a_shift(self) -> None:
        x, shift = cloud(30, 3), torch.tensor([3.0, -4.0, 0.0], dtype=torch.float64)
        value = max_sliced_wasserstein(x, x + shift, n_projections=8, steps=30)
        assert value.item() == pytest.approx(25)

    def test_max_sliced_is_at_least_the_mean(self) -> None:
        x, y = cloud(2, 12, 3), cloud(2, 15, 3)
        assert (max_sliced_wasserstein(x, y) >= sliced_wasserstein(x, y)).all()

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"x_weights": torch.ones(9)}, "it does not support weights"),
            ({"projections": lambda points: points}, "it does not support generalized slices"),
            ({"projections": torch.eye(3).requires_grad_()}, "it has no gradient with respect to the projections"),
        ],
    )
    def test_options_of_the_reference_only_are_explained(self, options: dict[str, object], reason: str) -> None:
        x, y = torch.randn(9, 3), torch.randn(6, 3)
        assert f"not cpu: {reason}" in str(fastlatent.explain(sliced_wasserstein, x, y, **options))
        with fastlatent.use_backend("cpu"), pytest.raises(ValueError, match=reason):
            sliced_wasserstein(x, y, **options)

    def test_weights_gradcheck(self) -> None:
        x, y, theta = cloud(4, 2), cloud(3, 2), random_directions(2, 3, dtype=torch.float64)
        w = torch.tensor([0.1, 0.35, 0.3, 0.25], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda w: sliced_wasserstein(x, y, projections=theta, x_weights=w), w)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"p": 0.5}, ValueError, "p must be a finite number >= 1; got 0.5"),
        ({"n_projections": 0}, ValueError, "n_projections must be an integer >= 1; got 0"),
        ({"projections": torch.ones(2, 4)}, ValueError, "projections must be .* d = 3 as in x"),
        ({"projections": "random"}, TypeError, "projections must be a torch.Tensor"),
        ({"x_weights": torch.ones(4)}, ValueError, "x_weights must be .* one weight per point"),
        ({"x_weights": [1, 2]}, TypeError, "x_weights must be a torch.Tensor"),
        ({"y_weights": torch.tensor([1.0, 1, 1, 1, -1])}, ValueError, "y_weights must be >= 0"),
        ({"y_weights": torch.zeros(5)}, ValueError, "y_weights must be >= 0, not all 0"),
    ],
)
def test_invalid_options_raise(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sliced_wasserstein(torch.randn(6, 3), torch.randn(5, 3), **options)
