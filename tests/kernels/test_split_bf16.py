"""float32 split into sums of bfloat16 numbers: accuracy of the parts and of matmuls of parts."""

import pytest
import torch
import triton
import triton.language as tl

from fastlatent.kernels.split_bf16 import dot_float32, split_bf16


@triton.jit
def split_values(x, parts, left, PARTS: tl.constexpr):
    at = tl.arange(0, 64)
    values, rest = split_bf16(tl.load(x + at), PARTS)
    for i in tl.static_range(PARTS):
        tl.store(parts + i * 64 + at, values[i].to(tl.float32))
    tl.store(left + at, rest)


@triton.jit
def dot_tiles(x, y, to):
    at = tl.arange(0, 32)[:, None] * 32 + tl.arange(0, 32)[None, :]
    tl.store(to + at, dot_float32(tl.load(x + at), tl.load(y + at), tl.zeros((32, 32), tl.float32)))


@pytest.mark.parametrize(("count", "max_error"), [(2, 2.0**-16), (3, 0.0)])
def test_parts_are_bfloat16_and_add_up(count, max_error, device):
    x = torch.randn(64, device=device) * 10.0 ** torch.arange(-32, 32, device=device).div(2)
    parts, left = torch.empty(count, 64, device=device), torch.empty(64, device=device)
    split_values[1,](x, parts, left, count)
    assert parts.equal(parts.bfloat16().float())
    assert parts.double().sum(0).equal(x.double() - left.double())
    assert (left.abs() <= max_error * x.abs()).all()


def test_split_dot_is_accurate_to_float32(device):
    x, y = torch.randn(2, 32, 32, device=device)
    product = torch.empty(32, 32, device=device)
    dot_tiles[1,](x, y, product)
    error = (product.double() - x.double() @ y.double()).abs() / (x.double().abs() @ y.double().abs())
    assert error.max() < 2.0**-22


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_nan_inf_propagate(number, device):
    x = torch.eye(32, device=device)
    x[3, 3] = number
    product = torch.empty(32, 32, device=device)
    dot_tiles[1,](x, torch.eye(32, device=device), product)
    assert not product[3, 3].isfinite()
    assert product[:3].isfinite().all()
