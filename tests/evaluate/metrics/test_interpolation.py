"""Measures of interpolations: line distance, smoothness, realism index, R² of a critic."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fastlatent.data import load
from fastlatent.data.datasets.lines import draw_lines
from fastlatent.evaluate import EvaluatedModel
from fastlatent.evaluate.metrics import interpolation
from fastlatent.evaluate.metrics.interpolation import interpolation_critic_r2, line_distance, smoothness
from fastlatent.models import Autoencoder
from fastlatent.priors import Normal, Uniform


def line_images(angles):
    return torch.from_numpy(draw_lines(np.asarray(angles)))[:, None]


def test_real_lines_have_distance_zero_and_their_angle():
    angles = 2 * np.pi / 10_000 * np.array([0, 17, 2500, 9999])
    distance, nearest = line_distance(line_images(angles))
    assert distance.max() < 1e-12  # rounding of a product of 1,024 pixels
    np.testing.assert_allclose(nearest, angles)


def test_line_distance_matches_scipy():
    from scipy.spatial.distance import cdist

    noise = torch.rand(5, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    real = draw_lines(np.arange(10_000) * 2 * np.pi / 10_000).reshape(10_000, -1)
    expected = cdist(2 * noise.flatten(1).double() - 1, 2 * real - 1, "cosine").min(1)
    np.testing.assert_allclose(line_distance(noise)[0], expected)


def test_perfect_interpolation_across_angle_zero():
    path = 2 * np.pi / 10_000 * np.arange(-300, 301, 40)  # from below to above zero
    distance, angles = line_distance(line_images(path))
    assert distance.max() < 1e-12
    assert smoothness(angles).abs() < 1e-9


def test_pixel_interpolation_is_far_from_lines_and_not_smooth():
    start, end = line_images([0.3, 2.0])
    pixels = torch.lerp(start, end, torch.linspace(0, 1, 16)[:, None, None, None])
    distance, angles = line_distance(pixels)
    assert distance[7] > 0.01
    torch.testing.assert_close(smoothness(angles), torch.tensor(1 - 1 / 15), rtol=0.2, atol=0, check_dtype=False)


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        ([0.0, 0.1, 0.2, 0.3], 0.0),
        ([0.3, 0.2, 0.1, 0.0], 0.0),
        ([6.2, 6.25, 6.3 - 2 * np.pi, 6.35 - 2 * np.pi], 0.0),
        ([0.0, 0.0, 0.0, 1.0], 1 - 1 / 3),
        ([0.0, 0.5, 0.6, 1.0], 0.5 - 1 / 3),
        ([0.0, 2.0, -1.0, 1.0], 3 - 1 / 3),
        ([0.4, 1.0, 0.1, 0.4], np.nan),
    ],
)
def test_smoothness_by_hand(angles, expected):
    np.testing.assert_allclose(smoothness(torch.tensor(angles, dtype=torch.float64)), expected, atol=1e-9)


class Angle(nn.Module):
    """Encoder from images of lines to their angle."""

    def forward(self, x):
        return line_distance(x)[1][:, None]


class Draw(nn.Module):
    """Decoder from angles to images of lines."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))  # determines the model's device

    def forward(self, z):
        return torch.from_numpy(draw_lines(z[:, 0].numpy()))[:, None]


def few_lines():
    data = load("lines")
    return replace(data, test=replace(data.test, x=data.test.x[:80], labels=data.test.labels[:80]))


def test_model_with_the_angle_as_code_interpolates_perfectly():
    results = interpolation.lines(EvaluatedModel(Autoencoder(Angle(), Draw(), Uniform(1)), few_lines()))
    distance, baseline_distance, smooth, baseline_smooth = (result.value for result in results)
    assert distance < 1e-5 < baseline_distance / 10  # between the 10,000 angles
    assert abs(smooth) < 0.01 < baseline_smooth / 10  # angles have a resolution of 1/10,000 of the circle
    assert [result.is_model for result in results] == [True, False] * 2


def test_constant_interpolations_have_no_smoothness():
    evaluated = EvaluatedModel(Autoencoder(Angle(), Draw(), Uniform(1)), few_lines())
    evaluated.codes = torch.ones(80, 1)
    groups = [result.group.split(" ")[0] for result in interpolation.lines(evaluated) if result.is_model]
    assert groups == ["Mean"]


def test_codes_from_the_prior_have_realism_index_one_half(untrained):
    untrained.codes = Normal(8).sample(4000, generator=torch.Generator().manual_seed(1))
    untrained.prior_samples = tuple(Normal(8).sample(4000, generator=torch.Generator().manual_seed(s)) for s in (2, 3))
    straight, spherical, codes, prior = (result.value for result in interpolation.realism_index(untrained))
    assert abs(codes - 0.5) < 4 * np.sqrt(1 / 12 / 4000)  # four standard deviations of a mean of uniforms
    assert straight > codes + 0.1  # straight lines pass nearer to 0, the mode of the density
    assert abs(spherical - codes) < 0.05
    assert abs(prior - straight) < 0.05


def test_codes_far_from_the_prior_have_realism_index_zero(untrained):
    untrained.codes = 5 + Normal(8).sample(600, generator=torch.Generator().manual_seed(1))
    assert all(result.value < 1e-6 for result in interpolation.realism_index(untrained) if result.is_model)


def test_realism_index_needs_a_gaussian_prior(digits):
    model = Autoencoder(nn.Flatten(), nn.Unflatten(1, (1, 8, 8)), Uniform(64))
    model.register_parameter("unused", nn.Parameter(torch.zeros(())))
    with pytest.raises(TypeError, match="Gaussian prior; got Uniform"):
        interpolation.realism_index(EvaluatedModel(model, digits))


def gray(z):
    """Return images of constant gray."""
    return z[:, :1, None, None].expand(-1, 1, 4, 4)


def test_critic_r2_is_zero_for_identical_images():
    codes = torch.ones(100, 1)
    assert abs(interpolation_critic_r2(gray, codes, codes, (1, 4, 4), steps=150)) < 0.1


def test_critic_r2_is_positive_if_the_gray_value_determines_alpha():
    step = torch.tensor([[0.0], [1.0]])  # codes of a pair that differ are mixed to α or 1 − α, so the gray is ½ − α
    r2 = interpolation_critic_r2(
        lambda z: gray((z - 0.5).abs()), step.repeat(64, 1), step.repeat(64, 1), (1, 4, 4), steps=150
    )
    assert r2 > 0.3


def test_critic_r2_is_reproducible_for_model_and_baseline(untrained, monkeypatch):
    monkeypatch.setattr(interpolation, "CRITIC_STEPS", 10)
    results = interpolation.critic_r2(untrained)
    assert results == interpolation.critic_r2(untrained)
    assert [result.is_model for result in results] == [True, False]


def test_invalid_input_raises():
    with pytest.raises(ValueError, match=r"\(..., 1, 32, 32\); got \(2, 1, 28, 28\)"):
        line_distance(torch.zeros(2, 1, 28, 28))
    with pytest.raises(ValueError, match="N >= 2"):
        smoothness(torch.zeros(3, 1))
