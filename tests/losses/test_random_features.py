"""Random Fourier features approximate the biased MMD."""

import pytest
import torch

import fastlatent as fl
from tests.truth.clouds import Clouds

kernels = pytest.mark.parametrize("kernel", [fl.RBF((0.7, 2.0)), fl.Laplace((1.5,))], ids=lambda k: type(k).__name__)


def estimate(kernel, count, seed, *, x, y):
    generator = torch.Generator().manual_seed(seed)
    return fl.mmd(x, y, kernel, estimator="features", n_features=count, generator=generator)


@kernels
def test_error_of_features_is_the_inverse_root_of_their_number(kernel):
    x, y = Clouds(30, 40, 3).draw(torch.float64)
    exact = fl.mmd(x, y, kernel, estimator="biased")
    few, many = (
        torch.stack([estimate(kernel, count, seed, x=x, y=y) for seed in range(200)]) - exact for count in (16, 1024)
    )
    assert many.mean().abs() < 4 * many.std() / 200**0.5  # unbiased
    assert few.std() / many.std() == pytest.approx(8, rel=0.3)  # O(1/√D), up to the error of two standard deviations


@kernels
def test_features_are_determined_by_the_generator(kernel):
    x, y = Clouds(5, 4, 3).draw(torch.float32)
    assert estimate(kernel, 8, 1, x=x, y=y) == estimate(kernel, 8, 1, x=x, y=y)
    assert estimate(kernel, 8, 1, x=x, y=y) != estimate(kernel, 8, 2, x=x, y=y)


@pytest.mark.parametrize("kernel", [fl.IMQ(), fl.Energy(), fl.Polynomial(), fl.RationalQuadratic()], ids=str)
def test_kernels_without_features_raise(kernel):
    x, y = Clouds(5, 4, 3).draw(torch.float32)
    with pytest.raises(ValueError, match="estimator 'features' requires a kernel RBF or Laplace; got"):
        fl.mmd(x, y, kernel, estimator="features")
