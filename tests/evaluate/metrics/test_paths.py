from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fastlatent.data import load
from fastlatent.data.datasets.lines import draw_lines
from fastlatent.evaluate import EvaluatedModel
from fastlatent.evaluate.metrics import critic, paths
from fastlatent.evaluate.metrics.lines import line_distance
from fastlatent.models import Autoencoder
from fastlatent.priors import Normal, Uniform


class Angle(nn.Module):
    """From images of lines to their angle."""

    def forward(self, x):
        return line_distance(x)[1][:, None]


class Draw(nn.Module):
    """From angles to images of lines."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))  # models are looked for where their parameters are

    def forward(self, z):
        return torch.from_numpy(draw_lines(z[:, 0].numpy()))[:, None]


def few_lines():
    data = load("lines")
    return replace(data, test=replace(data.test, x=data.test.x[:80], labels=data.test.labels[:80]))


def test_a_model_that_knows_the_angle_interpolates_perfectly():
    numbers = paths.lines(EvaluatedModel(Autoencoder(Angle(), Draw(), Uniform(1)), few_lines()))
    distance, faded, smooth, jumps = (number.value for number in numbers)
    assert distance < 1e-5 < faded / 10  # between the 10,000 angles
    assert abs(smooth) < 0.01 < jumps / 10  # angles are known to 1/10,000 of the circle
    assert [number.ours for number in numbers] == [True, False] * 2


def test_images_that_are_all_one_line_have_no_smoothness():
    made = EvaluatedModel(Autoencoder(Angle(), Draw(), Uniform(1)), few_lines())
    made.codes = torch.ones(80, 1)
    groups = [number.group.split(" ")[0] for number in paths.lines(made) if number.ours]
    assert groups == ["Mean"]


def test_codes_from_the_prior_have_realism_index_one_half(untrained):
    untrained.codes = Normal(8).sample(4000, generator=torch.Generator().manual_seed(1))
    untrained.prior = tuple(Normal(8).sample(4000, generator=torch.Generator().manual_seed(s)) for s in (2, 3))
    straight, spherical, codes, drawn = (number.value for number in paths.realism(untrained))
    assert abs(codes - 0.5) < 4 * np.sqrt(1 / 12 / 4000)  # four standard deviations of a mean of uniforms
    assert straight > codes + 0.1  # straight lines pass nearer to 0, where the density is greatest
    assert abs(spherical - codes) < 0.05
    assert abs(drawn - straight) < 0.05


def test_codes_far_out_are_not_realistic(untrained):
    untrained.codes = 5 + Normal(8).sample(600, generator=torch.Generator().manual_seed(1))
    assert all(number.value < 1e-6 for number in paths.realism(untrained) if number.ours)


def test_realism_is_known_of_gaussians_alone(digits):
    model = Autoencoder(nn.Flatten(), nn.Unflatten(1, (1, 8, 8)), Uniform(64))
    model.register_parameter("unused", nn.Parameter(torch.zeros(())))
    with pytest.raises(TypeError, match="Gaussian prior; got Uniform"):
        paths.realism(EvaluatedModel(model, digits))


def gray(z):
    """Images of one gray."""
    return z[:, :1, None, None].expand(-1, 1, 4, 4)


def test_a_critic_reads_nothing_where_all_images_are_one():
    codes = torch.ones(100, 1)
    assert abs(critic.share_read(gray, codes, codes, (1, 4, 4), steps=150)) < 0.1


def test_a_critic_reads_all_where_the_grey_tells():
    step = torch.tensor([[0.0], [1.0]])  # where a pair's codes differ, α or 1 − α, and so the gray, ½ − α
    share = critic.share_read(
        lambda z: gray((z - 0.5).abs()), step.repeat(64, 1), step.repeat(64, 1), (1, 4, 4), steps=150
    )
    assert share > 0.3


def test_the_score_repeats_and_is_of_the_model_and_of_fading(untrained, monkeypatch):
    monkeypatch.setattr(critic, "STEPS", 10)
    numbers = critic.score(untrained)
    assert numbers == critic.score(untrained)
    assert [number.ours for number in numbers] == [True, False]
