"""Moments accumulated over batches."""

import pytest
import torch

from fastlatent import frechet_distance
from fastlatent.evaluate import GaussianMoments


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(500, 12, generator=generator) * 3 + 100, torch.randn(300, 12, generator=generator) + 99


def stream(x, size):
    moments = GaussianMoments()
    for batch in x.split(size):
        moments.update(batch)
    return moments


@pytest.mark.parametrize("size", [1, 7, 500])
def test_streamed_distance_equals_that_of_the_whole_sample(features, size):
    x, y = features
    distance = stream(x, size).frechet_distance(stream(y, size))
    torch.testing.assert_close(distance, frechet_distance(x.double(), y.double()))


def test_merged_moments_equal_those_of_the_whole_sample(features):
    x, _ = features
    merged = stream(x[:123], 50).merge(stream(x[123:], 60)).merge(GaussianMoments())
    assert merged.count == len(x)
    torch.testing.assert_close(merged.mean, x.double().mean(0))
    torch.testing.assert_close(merged.covariance, torch.cov(x.double().T))


def test_invalid_input_raises(features):
    moments = stream(features[0], 100)
    with pytest.raises(ValueError, match="d = 12 coordinates; got d = 3"):
        moments.update(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"x must have shape \(n, d\)"):
        moments.update(torch.zeros(2, 3, 12))
    with pytest.raises(ValueError, match="at least 2 samples; got 1"):
        moments.frechet_distance(stream(features[0][:1], 1))
