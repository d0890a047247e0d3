import numpy as np
import pytest
import torch

from fastlatent.data.datasets.lines import draw_lines
from fastlatent.evaluate.metrics.lines import line_distance, smoothness


def images(angles):
    return torch.from_numpy(draw_lines(np.asarray(angles)))[:, None]


def test_real_lines_have_distance_0_and_their_angle():
    angles = 2 * np.pi / 10_000 * np.array([0, 17, 2500, 9999])
    distance, found = line_distance(images(angles))
    assert distance.max() < 1e-12  # rounding of a product of 1,024 pixels
    np.testing.assert_allclose(found, angles)


def test_the_distance_is_scipys_cosine_distance_to_the_nearest_of_all_lines():
    from scipy.spatial.distance import cdist

    noise = torch.rand(5, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    real = draw_lines(np.arange(10_000) * 2 * np.pi / 10_000).reshape(10_000, -1)
    expected = cdist(2 * noise.flatten(1).double() - 1, 2 * real - 1, "cosine").min(1)
    np.testing.assert_allclose(line_distance(noise)[0], expected)


def test_a_perfect_interpolation_is_near_and_smooth_across_zero():
    path = 2 * np.pi / 10_000 * np.arange(-300, 301, 40)  # from below zero to above
    distance, angles = line_distance(images(path))
    assert distance.max() < 1e-12
    assert smoothness(angles).abs() < 1e-9


def test_fading_from_line_to_line_is_far_from_lines_and_jumps():
    start, end = images([0.3, 2.0])
    fade = torch.lerp(start, end, torch.linspace(0, 1, 16)[:, None, None, None])
    distance, angles = line_distance(fade)
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


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"\(..., 1, 32, 32\); got \(2, 1, 28, 28\)"):
        line_distance(torch.zeros(2, 1, 28, 28))
    with pytest.raises(ValueError, match="N >= 2"):
        smoothness(torch.zeros(3, 1))
