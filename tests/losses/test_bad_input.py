"""Invalid input: each message names the argument, its value and the allowed values."""

from functools import partial

import pytest
import torch

import fastlatent as fl

TWO = {
    "mmd": partial(fl.mmd, kernel=fl.IMQ()),
    "mmd_imq": fl.mmd_imq,
    "mmd_rbf": fl.mmd_rbf,
    "mmd_rbf-median": partial(fl.mmd_rbf, bandwidths="median"),
    "mmd_laplace": fl.mmd_laplace,
    "mmd_rational_quadratic": fl.mmd_rational_quadratic,
    "energy_distance": fl.energy_distance,
    "polynomial_mmd": fl.polynomial_mmd,
    "cramer_wold": fl.cramer_wold,
    "chamfer_distance": fl.chamfer_distance,
    "nearest": fl.nearest,
}
UNBIASED = [name for name in TWO if "mmd" in name or name == "energy_distance"]
losses = pytest.mark.parametrize("loss", TWO.values(), ids=TWO)
X, Y = torch.randn(4, 3), torch.randn(5, 3)

BAD_SAMPLES = {
    "list": ([[0.0]], TypeError, "must be a torch.Tensor of shape (..., n, d); got list"),
    "rank": (torch.zeros(3), ValueError, "must have shape (..., n, d), at least 2 dimensions; got shape (3,)"),
    "scalar": (torch.zeros(()), ValueError, "at least 2 dimensions; got shape ()"),
    "no points": (torch.zeros(0, 3), ValueError, "points"),
    "no coordinates": (torch.zeros(4, 0), ValueError, "must have d >= 1 coordinates; got shape (4, 0)"),
    "no batch": (torch.zeros(0, 4, 3), ValueError, "must not have an empty batch; got shape (0, 4, 3)"),
    "integer": (torch.zeros(4, 3, dtype=torch.int64), ValueError, "float16; got torch.int64"),
    "bool": (torch.zeros(4, 3, dtype=torch.bool), ValueError, "float16; got torch.bool"),
    "complex": (torch.zeros(4, 3, dtype=torch.complex64), ValueError, "float16; got torch.complex64"),
    "float8": (torch.zeros(4, 3).to(torch.float8_e4m3fn), ValueError, "float16; got torch.float8_e4m3fn"),
    "sparse": (torch.zeros(4, 3).to_sparse(), ValueError, "must be a dense tensor (call .to_dense()); got layout"),
}
bad_samples = pytest.mark.parametrize(("bad", "error", "message"), BAD_SAMPLES.values(), ids=BAD_SAMPLES)


def assert_raises(call, error, *parts):
    with pytest.raises(error) as info:
        call()
    for part in parts:
        assert part in str(info.value)


@losses
@bad_samples
def test_invalid_samples_raise(loss, bad, error, message):
    assert_raises(lambda: loss(bad, Y), error, "x must", message)
    assert_raises(lambda: loss(X, bad), error, "y must", message)


@bad_samples
def test_invalid_single_sample_raises(bad, error, message):
    assert_raises(lambda: fl.cramer_wold_normal(bad), error, "x must", message)


PAIRS = {
    "dimensions": (torch.zeros(4, 3), torch.zeros(5, 2), ("x (..., n, d) and y (..., m, d)", "(4, 3) and (5, 2)")),
    "batches": (torch.zeros(2, 4, 3), torch.zeros(3, 4, 3), ("must agree", "(2, 4, 3) and (3, 4, 3)")),
    "ranks": (torch.zeros(1, 4, 3), torch.zeros(4, 3), ("must agree", "(1, 4, 3) and (4, 3)")),
    "dtypes": (torch.zeros(4, 3), torch.zeros(4, 3).double(), ("same dtype", "torch.float32 and torch.float64")),
    "devices": (torch.zeros(4, 3), torch.zeros(4, 3, device="meta"), ("same device", "cpu and meta")),
}


@losses
@pytest.mark.parametrize(("x", "y", "parts"), PAIRS.values(), ids=PAIRS)
def test_incompatible_samples_raise(loss, x, y, parts):
    assert_raises(lambda: loss(x, y), ValueError, *parts)


@pytest.mark.parametrize("name", UNBIASED)
def test_unbiased_estimator_needs_two_points(name):
    assert_raises(lambda: TWO[name](X[:1], Y), ValueError, "x must have n >= 2 points", "unbiased", "got shape (1, 3)")
    assert_raises(lambda: TWO[name](X, Y[:1]), ValueError, "y must have n >= 2 points", "unbiased", "got shape (1, 3)")


@pytest.mark.parametrize("estimator", ["biased", "features"])
def test_other_estimators_accept_one_point(estimator):
    assert fl.mmd(X[:1], Y[:1], fl.RBF(), estimator=estimator).isfinite()


NUMBERS = {
    "sigma": lambda v: fl.mmd_imq(X, Y, sigma=v),
    "gamma of polynomial_mmd": lambda v: fl.polynomial_mmd(X, Y, gamma=v),
    "gamma of cramer_wold": lambda v: fl.cramer_wold(X, Y, gamma=v),
    "gamma of cramer_wold_normal": lambda v: fl.cramer_wold_normal(X, gamma=v),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (0, ValueError),
        (-1.0, ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        ("1", TypeError),
        (True, TypeError),
    ],
)
def test_nonpositive_numbers_raise(name, value, error):
    argument = name.split()[0]
    assert_raises(lambda: NUMBERS[name](value), error, f"{argument} must be a finite number > 0; got {value!r}")


SEQUENCES = {
    "scales": lambda v: fl.mmd_imq(X, Y, scales=v),
    "bandwidths of mmd_rbf": lambda v: fl.mmd_rbf(X, Y, bandwidths=v),
    "bandwidths of mmd_laplace": lambda v: fl.mmd_laplace(X, Y, bandwidths=v),
    "alphas": lambda v: fl.mmd_rational_quadratic(X, Y, alphas=v),
}


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize(
    ("values", "error"),
    [
        ((), ValueError),
        ((1.0, 0.0), ValueError),
        ((1.0, -2.0), ValueError),
        ((float("nan"),), ValueError),
        ((float("inf"),), ValueError),
        (1.0, TypeError),
        (None, TypeError),
        (("one",), TypeError),
    ],
)
def test_sequences_with_nonpositive_numbers_raise(name, values, error):
    argument = name.split()[0]
    assert_raises(lambda: SEQUENCES[name](values), error, f"{argument} must be", "> 0", f"got {values!r}")


OPTIONS = {
    "estimator": (
        lambda: fl.mmd_imq(X, Y, estimator="fair"),
        ValueError,
        "estimator must be one of 'unbiased', 'biased', 'block', 'linear', 'features'; got 'fair'",
    ),
    "bandwidths": (
        lambda: fl.mmd_rbf(X, Y, bandwidths="mean"), ValueError, "bandwidths must be one of 'median'; got 'mean'",
    ),
    "offset": (
        lambda: fl.polynomial_mmd(X, Y, offset=-1.0), ValueError, "offset must be a finite number >= 0; got -1.0",
    ),
    "degree 0": (lambda: fl.polynomial_mmd(X, Y, degree=0), ValueError, "degree must be an integer >= 1; got 0"),
    "degree 2.5": (lambda: fl.polynomial_mmd(X, Y, degree=2.5), TypeError, "degree must be an integer >= 1; got 2.5"),
    "kernel": (lambda: fl.mmd(X, Y, "imq"), TypeError, "kernel must be"),
    "block_size 1": (
        lambda: fl.mmd(X, X, fl.IMQ(), estimator="block", block_size=1),
        ValueError,
        "block_size must be an integer >= 2; got 1",
    ),
    "block_size 5": (
        lambda: fl.mmd(X, X, fl.IMQ(), estimator="block", block_size=5),
        ValueError,
        "block_size must be at most n = 4; got 5",
    ),
    "block_size elsewhere": (
        lambda: fl.mmd(X, X, fl.IMQ(), block_size=2), ValueError, "block_size requires estimator='block'",
    ),
    "blocks of unequal samples": (
        lambda: fl.mmd(X, Y, fl.IMQ(), estimator="block"),
        ValueError,
        "the same number of points for 'block' and 'linear'",
    ),
    "n_features": (
        lambda: fl.mmd(X, Y, fl.RBF(), estimator="features", n_features=0),
        ValueError,
        "n_features must be an integer >= 1; got 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), OPTIONS.values(), ids=OPTIONS)
def test_options_out_of_range_raise(call, error, message):
    assert_raises(call, error, message)


@pytest.mark.parametrize(
    ("loss", "purpose"),
    [
        (lambda x, y: fl.mmd_imq(x, y), "estimator='unbiased'"),
        (lambda x, y: fl.mmd(x, y, fl.RBF(), estimator="block"), "estimator='block'"),
        (lambda x, y: fl.frechet_distance(x, y), "a covariance"),
        (lambda x, y: fl.frechet_distance_normal(x), "a covariance"),
    ],
    ids=["unbiased", "block", "frechet", "frechet to normal"],
)
def test_a_single_point_is_refused_with_what_needs_two(loss, purpose):
    assert_raises(lambda: loss(X[:1], Y), ValueError, f"x must have n >= 2 points for {purpose}; got shape (1, 3)")
