"""Distributions of the priors, and their labels."""

import math

import pytest
import torch
from scipy.stats import beta, kstest

from fastlatent.priors import (
    Bernoulli,
    Beta,
    Categorical,
    GaussianMixture2D,
    Normal,
    Product,
    SwissRoll,
    Uniform,
    prior,
)

N = 20_000
PRODUCT = Product((Categorical(3), Normal(2)))
ALL = [
    Normal(3, 2.0),
    Uniform(4, -1.0, 3.0),
    Categorical(5),
    GaussianMixture2D(),
    SwissRoll(),
    Beta(3),
    Bernoulli(4),
    PRODUCT,
]
# Mean and variance of each coordinate, by hand. The mixture: E r² = radius² + along² + across², shared by two axes.
MOMENTS = [
    (Normal(3, 2.0), 0.0, 4.0),
    (Uniform(4, -1.0, 3.0), 1.0, 16 / 12),
    (Categorical(5), 1 / 5, 4 / 25),
    (Beta(3, 0.01), 0.5, 1 / (4 * 1.02)),
    (Beta(3, 2.5), 0.5, 1 / (4 * 6)),
    (Bernoulli(3, 0.3), 0.3, 0.3 * 0.7),
    (GaussianMixture2D(10, 2.0, 0.5, 0.1), 0.0, (4 + 0.25 + 0.01) / 2),
]


def draw(distribution, n=N, seed=0, **options):
    return distribution.sample(n, generator=torch.Generator().manual_seed(seed), **options)


@pytest.mark.parametrize("distribution", ALL, ids=repr)
@pytest.mark.parametrize("n", [0, 1, 7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_dtype(distribution, n, dtype):
    z = draw(distribution, n, dtype=dtype)
    assert z.shape == (n, distribution.dim)
    assert z.dtype == dtype


@pytest.mark.parametrize("distribution", ALL, ids=repr)
def test_sample_is_determined_by_the_generator(distribution):
    assert torch.equal(draw(distribution, 50), draw(distribution, 50))
    assert not torch.equal(draw(distribution, 50), draw(distribution, 50, seed=1))


@pytest.mark.parametrize(("distribution", "mean", "variance"), MOMENTS, ids=lambda v: repr(v))
def test_mean_and_variance(distribution, mean, variance):
    z = draw(distribution, dtype=torch.float64)
    sigma = math.sqrt(variance / N)
    assert ((z.mean(0) - mean).abs() < 5 * sigma).all()  # five standard errors of the mean
    assert ((z.var(0) / variance - 1).abs() < 5 * math.sqrt(2 / N)).all()  # no tails heavier than the normal's


def test_uniform_stays_within_its_bounds():
    z = draw(Uniform(2, -1.0, 3.0))
    assert z.min() >= -1
    assert z.max() < 3


@pytest.mark.parametrize("a", [0.3, 1.0, 4.0])
def test_beta_follows_its_distribution(a):
    z = draw(Beta(1, a), dtype=torch.float64).flatten().numpy()
    assert kstest(z, beta(a, a).cdf).pvalue > 1e-4


def test_beta_of_a_small_concentration_is_nearly_binary():
    z = draw(Beta(2, 1e-3))
    assert ((z >= 0) & (z <= 1)).all()
    assert ((z < 1e-3) | (z > 1 - 1e-3)).float().mean() > 0.98


def test_bernoulli_samples_are_binary():
    assert draw(Bernoulli(3)).unique().tolist() == [0, 1]


def test_categorical_samples_are_one_hot():
    z = draw(Categorical(5))
    assert torch.equal(z.sum(1), torch.ones(N))
    assert torch.equal(z.max(1).values, torch.ones(N))


def test_swiss_roll_without_noise_lies_on_its_spiral():
    roll = SwissRoll(turns=2.0, radius=3.0, noise=0.0)
    z = draw(roll, dtype=torch.float64)
    radius = z.norm(dim=1)
    angle = 2 * math.pi * roll.turns * radius / roll.radius
    torch.testing.assert_close(z, radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1))


def test_product_concatenates_independent_priors():
    z = draw(PRODUCT, dtype=torch.float64)
    assert torch.equal(z[:, :3].max(1).values, torch.ones(N))
    assert z[:, 3:].mean(0).abs().max() < 5 / math.sqrt(N)
    assert torch.corrcoef(z.T)[:3, 3:].abs().max() < 5 / math.sqrt(N)  # five standard errors


def test_labels_select_the_component_of_the_mixture():
    mixture, label = GaussianMixture2D(components=4), torch.arange(4).repeat_interleave(N // 4)
    z = mixture.sample_conditional(label, generator=torch.Generator().manual_seed(0)).unflatten(0, (4, -1))
    centers = torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0]])
    assert (z.mean(1) - centers).abs().max() < 5 * 0.5 / math.sqrt(N // 4)  # five standard errors


def test_labels_select_the_segment_of_the_roll():
    roll, label = SwissRoll(noise=0.0, radius=3.0, num_classes=3), torch.arange(3).repeat_interleave(N // 3)
    u = (
        roll.sample_conditional(label, generator=torch.Generator().manual_seed(0)).square().sum(1) / 9
    )  # u = (r/radius)²
    torch.testing.assert_close((3 * u - 1e-4).floor().long().clamp(0, 2), label)
    assert u.unflatten(0, (3, -1)).std(1).sub(1 / 3 / math.sqrt(12)).abs().max() < 0.003


@pytest.mark.parametrize("distribution", [GaussianMixture2D(), SwissRoll()], ids=repr)
def test_unlabeled_draws_from_the_mixture(distribution):
    unknown = distribution.sample_conditional(torch.full((N,), -1), generator=torch.Generator().manual_seed(0))
    assert torch.equal(unknown, draw(distribution))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normal(0), "dim must be an integer >= 1; got 0"),
        (lambda: Normal(2, -1.0), "std must be a finite number > 0; got -1.0"),
        (lambda: Uniform(2, 1.0, 1.0), "low < high; got 1.0 and 1.0"),
        (lambda: Categorical(0), "dim must be"),
        (lambda: GaussianMixture2D(across=0.0), "across must be"),
        (lambda: SwissRoll(turns=0.0), "turns must be"),
        (lambda: Beta(2, 0.0), "concentration must be a finite number > 0; got 0.0"),
        (lambda: Bernoulli(2, 1.0), r"probability must be a number in \[0, 1\); got 1.0"),
        (lambda: Bernoulli(2, 0.0), "probability must be a finite number > 0; got 0.0"),
        (lambda: Normal(2).sample(-1), "n must be an integer >= 0; got -1"),
        (lambda: prior("cauchy", 2), "prior must be one of 'normal', .*; got 'cauchy'"),
        (lambda: prior("mixture", 3), "prior 'mixture' has 2 dimensions and needs latent_dim = 2; got 3"),
    ],
)
def test_invalid_options_raise(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_named_uniform_has_the_variance_of_the_normal():
    assert draw(prior("uniform", 2, 1.5)).var(0).sub(1.5**2).abs().max() < 5 * 1.5**2 * math.sqrt(2 / N)
