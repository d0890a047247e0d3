"""Options are numbers: of Python, NumPy or a tensor, fixed when they are checked, and never detached from a graph."""

import numpy as np
import pytest
import torch

import fastlatent as fl
from fastlatent import nn

X = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
Y = X + 1
KERNELS = {
    fl.IMQ: {"scales": [0.5, 2.0], "sigma": 1.5},
    fl.RBF: {"bandwidths": [0.5, 2.0]},
    fl.Laplace: {"bandwidths": [0.5, 2.0]},
    fl.RationalQuadratic: {"alphas": [0.5, 2.0]},
    fl.Polynomial: {"degree": 2, "gamma": 0.5, "offset": 2.0},
}
kernels = pytest.mark.parametrize(("kernel", "options"), KERNELS.items(), ids=lambda v: getattr(v, "__name__", None))
LISTS = [(kernel, name) for kernel, options in KERNELS.items() for name, v in options.items() if isinstance(v, list)]
SCALARS = {
    "sigma": lambda v: fl.mmd_imq(X, Y, sigma=v),
    "polynomial gamma": lambda v: fl.polynomial_mmd(X, Y, gamma=v),
    "offset": lambda v: fl.polynomial_mmd(X, Y, offset=v),
    "gamma": lambda v: fl.cramer_wold(X, Y, gamma=v),
    "eps": lambda v: fl.frechet_distance(X, Y, eps=v),
    "p": lambda v: fl.sliced_wasserstein(X, Y, p=v, projections=torch.eye(3)),
    "t_max": lambda v: fl.epps_pulley(X, t_max=v, projections=torch.eye(3)),
}
scalars = pytest.mark.parametrize("loss", SCALARS.values(), ids=SCALARS)
COUNTS = {
    "degree": lambda v: fl.polynomial_mmd(X, Y, degree=v),
    "n_projections": lambda v: fl.sliced_wasserstein(X, Y, n_projections=v, generator=torch.Generator().manual_seed(0)),
    "n_points": lambda v: fl.epps_pulley(X, n_points=v, projections=torch.eye(3)),
    "block_size": lambda v: fl.mmd(X, Y, fl.RBF(), estimator="block", block_size=v),
}
counts = pytest.mark.parametrize("loss", COUNTS.values(), ids=COUNTS)


@kernels
def test_a_kernel_of_iterators_arrays_or_tensors_is_the_kernel_of_the_same_numbers(kernel, options):
    expected = kernel(**options)
    for convert in (iter, tuple, np.array, lambda v: torch.tensor(v, dtype=torch.float64)):
        converted = kernel(**{name: convert(v) if isinstance(v, list) else v for name, v in options.items()})
        assert converted == expected
        assert hash(converted) == hash(expected)
        assert fl.mmd(X, Y, converted) == fl.mmd(X, Y, expected) != 0


@pytest.mark.parametrize(("kernel", "name"), LISTS)
def test_a_kernel_keeps_its_numbers_when_the_list_changes(kernel, name):
    values = [0.5, 2.0]
    changed, expected = kernel(**{name: values}), kernel(**{name: (0.5, 2.0)})
    module = nn.MMD(changed)
    values.clear()
    assert changed == expected
    assert module(X, Y) == fl.mmd(X, Y, expected)


@scalars
def test_scalars_of_numpy_and_of_tensors_are_numbers(loss):
    expected = loss(1.5)
    for value in (np.float64(1.5), np.float32(1.5), np.array(1.5), torch.tensor(1.5)):
        assert loss(value) == expected


@counts
def test_integers_of_numpy_and_of_tensors_are_counts(loss):
    expected = loss(4)
    for value in (np.int64(4), np.int32(4), np.array(4), torch.tensor(4)):
        assert loss(value) == expected
    with pytest.raises(TypeError, match="must be an integer"):
        loss(np.float64(4))


@scalars
def test_an_option_that_requires_a_gradient_is_refused(loss):
    with pytest.raises(ValueError, match="must not require a gradient"):
        loss(torch.tensor(1.5, requires_grad=True))


def test_bandwidths_that_require_a_gradient_are_refused():
    with pytest.raises(ValueError, match="bandwidths must not require a gradient"):
        fl.mmd_rbf(X, Y, bandwidths=torch.ones(2, requires_grad=True))


@pytest.mark.parametrize("bandwidths", [1.0, "mean", None, torch.tensor(1.0), [], [0.0], [float("nan")], ["1"], [True]])
def test_other_bandwidths_are_refused(bandwidths):
    with pytest.raises((TypeError, ValueError), match="bandwidths must be"):
        fl.mmd_rbf(X, Y, bandwidths=bandwidths)


@pytest.mark.parametrize(
    "loss",
    [
        lambda g: fl.sliced_wasserstein(X, Y, generator=g),
        lambda g: fl.epps_pulley(X, generator=g),
        lambda g: fl.mmd(X, Y, fl.RBF(), estimator="features", generator=g),
    ],
)
def test_a_seed_is_no_generator(loss):
    with pytest.raises(TypeError, match=r"generator must be a torch.Generator or None; got 0"):
        loss(0)
