"""Geometry of the generated lines."""

import numpy as np
import pytest

from fastlatent.data import load
from fastlatent.data.datasets.lines import LENGTH, SIDE, WIDTH, draw_lines


@pytest.mark.parametrize("angle", [0.0, 0.7, np.pi / 2, 2.0, np.pi, 4.4])
def test_line_has_its_angle_length_and_area(angle):
    image = draw_lines(np.array([angle]))[0].astype(float)
    rows, columns = np.indices((SIDE, SIDE)) + 0.5 - SIDE / 2
    center = np.array([(image * columns).sum(), -(image * rows).sum()]) / image.sum()
    np.testing.assert_allclose(np.arctan2(*center[::-1]) % (2 * np.pi), angle, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(center), LENGTH / 2, rtol=0.01)
    area = LENGTH * WIDTH + np.pi * (WIDTH / 2) ** 2  # of a segment with round ends
    np.testing.assert_allclose(image.sum(), area, rtol=0.03)  # pixel values follow the distance, not the covered area


def test_quarter_turn_of_the_angle_rotates_the_image():
    first, second = draw_lines(np.array([0.3, 0.3 + np.pi / 2]))
    np.testing.assert_allclose(np.rot90(first), second, atol=1e-5)


def test_lines_are_deterministic_and_balanced():
    data, other = load("lines"), load("lines")
    assert data.shape == (1, 32, 32)
    assert (len(data.train), len(data.test)) == (10_000, 2_000)
    assert data.test.x.equal(other.test.x)
    assert not data.train.x[:2000].equal(data.test.x)
    assert np.bincount(data.train.labels, minlength=10).min() > 850  # 1,000 ± 30 (one standard deviation)
