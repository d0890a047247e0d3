"""Fixtures of the loss tests: seeded generators."""

import pytest
import torch


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def seed() -> None:
    torch.manual_seed(0)
