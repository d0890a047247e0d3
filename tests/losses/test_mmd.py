"""Maximum mean discrepancy: closed forms, bias, invariances, and estimators for large samples."""

import math

import numpy as np
import pytest
import torch

import fastlatent as fl
from fastlatent.losses.mmd import median_distance
from tests.truth.cases import MMDS, with_gradients
from tests.truth.clouds import Clouds

KERNELS = [fl.IMQ(), fl.RBF((0.5, 2.0)), fl.Laplace(), fl.RationalQuadratic(), fl.Energy(), fl.Polynomial()]
kernels = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: type(k).__name__)
radial = pytest.mark.parametrize("kernel", KERNELS[:-1], ids=lambda k: type(k).__name__)
double = torch.float64


def gaussian_mmd_between_normals(d: int, mean: float, deviation: float, bandwidth: float) -> float:
    """E k(x, x') + E k(y, y') − 2 E k(x, y) for x ~ N(0, I), y ~ N(mean·1, deviation²·I), k Gaussian."""

    def expectation(variance: float, shift: float) -> float:  # of k at N(shift·1, variance·I)
        total = bandwidth**2 + variance
        return (bandwidth**2 / total) ** (d / 2) * math.exp(-d * shift**2 / (2 * total))

    return expectation(2, 0) + expectation(2 * deviation**2, 0) - 2 * expectation(1 + deviation**2, mean)


@pytest.mark.parametrize("estimator", ["unbiased", "block", "linear"])
@pytest.mark.parametrize(("d", "mean", "deviation", "bandwidth"), [(1, 0.5, 1.0, 1.0), (3, 0.3, 1.5, 2.0)])
def test_gaussian_kernel_between_normals_in_closed_form(d, mean, deviation, bandwidth, estimator, generator):
    """The mean of independent estimates is within four standard errors of the closed form."""
    x = torch.randn(100, 64, d, dtype=double, generator=generator)
    y = mean + deviation * torch.randn(100, 64, d, dtype=double, generator=generator)
    estimates = fl.mmd_rbf(x, y, bandwidths=(bandwidth,), estimator=estimator)
    error = estimates.mean().item() - gaussian_mmd_between_normals(d, mean, deviation, bandwidth)
    assert abs(error) < 4 * estimates.std().item() / 10


@kernels
@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 5)])
def test_unbiased_estimator_has_mean_zero(kernel, n, m, generator):
    """For two samples of one distribution the mean is zero at any size; that of the biased estimator is positive."""
    x = torch.randn(20000, n, 2, dtype=double, generator=generator)
    y = torch.randn(20000, m, 2, dtype=double, generator=generator)
    estimates = fl.mmd(x, y, kernel)
    assert abs(estimates.mean()) < 4 * estimates.std() / math.sqrt(20000)
    biased = fl.mmd(x, y, kernel, estimator="biased")
    assert biased.min() > -1e-12
    assert biased.mean() > 0.1 * estimates.std()


def test_energy_distance_by_hand():
    x, y = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [5.0]])
    # distances between x and y: 1, 5, 1, 3; within x: 2; within y: 4
    assert fl.energy_distance(x, y).item() == pytest.approx(2 * 10 / 4 - 2 - 4)
    assert fl.energy_distance(x, y, estimator="biased").item() == pytest.approx(2 * 10 / 4 - 1 - 2)


def test_energy_distance_of_two_points_is_twice_their_distance():
    x, y = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]])
    value, gradient, _ = with_gradients(lambda x, y: fl.energy_distance(x, y, estimator="biased"), x, y)
    assert value.item() == pytest.approx(10)
    torch.testing.assert_close(gradient, torch.tensor([[-1.2, -1.6]]))


def test_polynomial_mmd_equals_the_kernel_inception_distance():
    """The estimator of Bińkowski et al. 2018 for samples of unequal size."""
    x, y = (z.numpy() for z in Clouds(20, 13, 6).draw(double))
    xx, yy, xy = ((a @ b.T / 6 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    kid = (xx.sum() - np.trace(xx)) / (20 * 19) + (yy.sum() - np.trace(yy)) / (13 * 12) - 2 * xy.mean()
    assert fl.polynomial_mmd(torch.from_numpy(x), torch.from_numpy(y)).item() == pytest.approx(kid, rel=1e-12)


def test_named_losses_equal_mmd_with_their_kernels():
    x, y = Clouds(9, 7, 3).draw(double)
    for value, kernel in (
        (fl.mmd_imq(x, y, scales=(1.0, 2.0), sigma=2.0), fl.IMQ((1.0, 2.0), 2.0)),
        (fl.mmd_rbf(x, y, bandwidths=(0.5,)), fl.RBF((0.5,))),
        (fl.mmd_laplace(x, y, bandwidths=(0.5,)), fl.Laplace((0.5,))),
        (fl.mmd_rational_quadratic(x, y, alphas=(0.5,)), fl.RationalQuadratic((0.5,))),
        (fl.energy_distance(x, y), fl.Energy()),
        (fl.polynomial_mmd(x, y, degree=2, gamma=0.3, offset=0.0), fl.Polynomial(2, 0.3, 0.0)),
    ):
        assert value == fl.mmd(x, y, kernel)


@pytest.mark.parametrize("case", MMDS, ids=str)
def test_symmetric_and_permutation_invariant(case):
    x, y = Clouds(60, 50, 3).draw(double)
    value, x_gradient, y_gradient = with_gradients(case, x, y)
    close = {"rtol": 1e-12, "atol": 1e-13 * case.exact(x, y).terms}
    torch.testing.assert_close(with_gradients(case, y, x), (value, y_gradient, x_gradient), **close)
    order = torch.randperm(60)
    torch.testing.assert_close(with_gradients(case, x[order], y), (value, x_gradient[order], y_gradient), **close)


@radial
def test_invariant_to_rotation_and_translation(kernel):
    x, y = Clouds(60, 50, 5).draw(double)
    rotation = torch.linalg.qr(torch.randn(5, 5, dtype=double)).Q
    transformed = [z @ rotation + 3.0 for z in (x, y)]
    torch.testing.assert_close(fl.mmd(*transformed, kernel), fl.mmd(x, y, kernel), rtol=1e-10, atol=1e-13)


@radial
def test_translation_far_from_the_origin_in_float32(kernel):
    """Points on a grid of step 1/64 are exact after translation by 1000: values may change by rounding only."""
    x, y = ((z * 64).round() / 64 for z in Clouds(50, 60, 12).draw(torch.float32))
    torch.testing.assert_close(fl.mmd(x + 1000, y + 1000, kernel), fl.mmd(x, y, kernel), rtol=1e-4, atol=2e-6)


@kernels
@pytest.mark.parametrize(("n", "size"), [(24, 6), (25, 6), (25, None), (3, 2)])
def test_block_estimate_is_the_mean_over_blocks(kernel, n, size):
    x, y = Clouds(n, n, 3).draw(double)
    b = size or math.isqrt(n)
    blocks = [fl.mmd(x[i : i + b], y[i : i + b], kernel) for i in range(0, n - b + 1, b)]
    estimate = fl.mmd(x, y, kernel, estimator="block", block_size=size)
    torch.testing.assert_close(estimate, torch.stack(blocks).mean())


def test_linear_estimate_equals_blocks_of_two():
    x, y = Clouds(13, 13, 3).draw(double)
    linear = fl.mmd(x, y, fl.IMQ(), estimator="linear")
    assert linear == fl.mmd(x, y, fl.IMQ(), estimator="block", block_size=2)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("dtype", [double, torch.float32])
def test_median_bandwidth_is_the_median_distance(scale, dtype):
    x, y = Clouds(30, 21, 4, scale).draw(dtype)
    z = torch.cat([x, y]).double()
    median = torch.nn.functional.pdist(z).median()
    torch.testing.assert_close(median_distance(x, y).double(), median, rtol=1e-6, atol=0)
    expected = fl.mmd_rbf(x.double(), y.double(), bandwidths=(median.item(),))
    tolerance = 1e-9 if dtype == double else 1e-5
    torch.testing.assert_close(fl.mmd_rbf(x, y, bandwidths="median").double(), expected, rtol=0, atol=tolerance)


def test_median_bandwidth_in_half_precision_equals_float32():
    x, y = (z.bfloat16() for z in Clouds(30, 21, 4, offset=3.0).draw(double))
    half, single = (
        fl.mmd_rbf(*(z.to(t) for z in (x, y)), bandwidths="median") for t in (torch.bfloat16, torch.float32)
    )
    torch.testing.assert_close(half, single, rtol=0, atol=1e-6)


def test_median_bandwidth_of_coinciding_points_is_finite():
    x = torch.ones(5, 2)
    assert fl.mmd_rbf(x, x, bandwidths="median") == 0


def test_median_bandwidth_compiles_as_one_graph():
    x, y = Clouds(9, 7, 3).draw(double)
    compiled = torch.compile(lambda x, y: fl.mmd_rbf(x, y, bandwidths="median"), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, y), fl.mmd_rbf(x, y, bandwidths="median"))
