"""Reconstruction errors."""

import torch

from fastlatent.evaluate.metrics.reconstruction import pixel_error


def test_pixel_error_is_the_mean_square():
    x = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    assert pixel_error(x, torch.zeros(2, 2)) == 0.75
