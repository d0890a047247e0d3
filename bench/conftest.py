"""Rows as they are kept: without the raw rounds and the name of the machine."""

from typing import Any

import pytest
import torch

import fastlatent


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    machine_info["node"] = machine_info["release"] = ""
    machine_info["fastlatent"] = fastlatent.__version__


def pytest_benchmark_update_json(config: Any, benchmarks: Any, output_json: dict[str, Any]) -> None:
    for row in output_json["benchmarks"]:
        del row["stats"]["data"]
