"""Fixtures of the model tests."""

import pytest
import torch

from fastlatent.data import Batch
from tests.models.by_hand import SHAPE


@pytest.fixture
def batch():
    """Six images with labels, one of them unlabeled."""
    generator = torch.Generator().manual_seed(0)
    return Batch(torch.rand(6, *SHAPE, generator=generator), torch.tensor([0, 9, 3, -1, 3, 7]))
