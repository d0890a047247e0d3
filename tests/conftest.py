"""Fixtures of all tests: backends of a CPU, and folders of data."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

import fastlatent as fl
from tests.data.idx_files import idx

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# The problems here are small: on a busy machine, synchronizing several threads takes a hundred times longer than the
# computation. Tests with several threads set their number; processes that tests start inherit the variable.
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(params=["reference", "cpu"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each backend of a CPU."""
    with fl.use_backend(request.param):
        yield request.param


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real data sets, which may be missing: FASTLATENT_DATA, or if unset ../shared/data of the repository."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("FASTLATENT_DATA", default))


@pytest.fixture(scope="session")
def mnist_dir(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with MNIST: the real files, or if missing, noise in files of the same names, format and size."""
    if (data_dir / "mnist").is_dir():
        return data_dir
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for part, n in (("train", 60_000), ("t10k", 10_000)):
        images = random.integers(256, size=(n, 28, 28), dtype=np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(random.integers(10, size=n, dtype=np.uint8)))
    return folder
