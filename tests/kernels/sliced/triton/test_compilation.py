"""Sliced kernels compiled ahead of time, at the sizes of their table: they fit the devices and spill no registers."""

import pytest
import torch

from tests.kernels.harness.ahead_of_time import CAPABILITIES, Kernel, compiled_for

# After the harness, which skips this file where triton is not installed.
from fastlatent.kernels.sliced.triton import launch as triton  # isort: skip

pytestmark = pytest.mark.slow

TO_X, TO_BOTH = (True, False, False), (True, True, False)


def sliced(n: int, m: int, p: float, needs_grad: tuple[bool, ...], normal: bool = False) -> None:
    x, y, theta = (torch.empty(shape, device="meta") for shape in ((n, 64), (m, 1 if normal else 64), (64, 128)))
    triton.sliced((x, y, theta), needs_grad, p, normal)


def kernels_of(capability: int, *calls: tuple) -> list[Kernel]:
    with compiled_for(capability) as kernels:
        for call in calls:
            sliced(*call)
    return kernels


def assert_all_fit(kernels: list[Kernel], *names: str) -> None:
    assert {k.name for k in kernels} == set(names)
    for kernel in kernels:
        kernel.assert_fits()


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("call", [(256, 200, 3.0, TO_BOTH), (2048, 2000, 1.5, TO_BOTH), (4096, 4096, 2.0, TO_X)])
def test_short_columns_fit(call: tuple, capability: int) -> None:
    assert_all_fit(kernels_of(capability, call), "short_columns")


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("call", [(65536, 60000, 1.5, TO_X), (65536, 65536, 2.0, TO_X, True)])
def test_long_columns_fit(call: tuple, capability: int) -> None:
    kernels = kernels_of(capability, call)
    assert_all_fit(kernels, "sort_chunks", "merge_step", "merge_chunks", "couple_chunks")


def test_kernels_compile_for_sizes_of_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "CHUNK", 64)
    monkeypatch.setattr(triton, "KEYS_PER_PROGRAM", 64)
    one, three = torch.empty(1, 1, device="meta"), torch.empty(3, 1, device="meta")
    with compiled_for(90) as kernels:
        triton.epps_pulley((one, one), (True, False), 3, 3.0)
        triton.sliced((one, one, one), TO_X, 2.0, True)
        for x, y in ((one, one), (one, three)):
            triton.sliced((x, y, one), TO_BOTH, 2.0, False)
            with monkeypatch.context() as only_long:
                only_long.setattr(triton, "MAX_SINGLE_LAUNCH", 0)
                only_long.setattr(triton, "MAX_SINGLE_LAUNCH_UNEQUAL", 0)
                triton.sliced((x, y, one), TO_BOTH, 2.0, False)
    assert_all_fit(kernels, "short_columns", "epps_pulley_columns", "sort_chunks", "couple_chunks")


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("n", [256, 1024])
def test_epps_pulley_fits(n: int, capability: int) -> None:
    x, theta = torch.empty(n, 64, device="meta"), torch.empty(64, 128, device="meta")
    with compiled_for(capability) as kernels:
        triton.epps_pulley((x, theta), (True, False), 17, 3.0)
    assert_all_fit(kernels, "epps_pulley_columns")
