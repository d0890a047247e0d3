"""Stored rows: without the raw rounds and the name of the machine."""

from typing import Any

import pytest
import torch

import fastlatent


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    """Seed torch before every benchmark."""
    torch.manual_seed(0)


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    """Remove the name of the machine and add the version of fastlatent."""
    machine_info["node"] = machine_info["release"] = ""
    machine_info["fastlatent"] = fastlatent.__version__


def pytest_benchmark_update_json(config: Any, benchmarks: Any, output_json: dict[str, Any]) -> None:
    """Remove the raw rounds."""
    for row in output_json["benchmarks"]:
        del row["stats"]["data"]
