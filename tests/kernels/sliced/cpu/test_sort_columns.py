"""The native sort of columns equals the stable sort of torch, bit for bit, for ties and NaN, too.

It sorts with and without the indices of the rows.
"""

import pytest
import torch
from torch import Tensor

from fastlatent.kernels.native import DTYPES, module

pytestmark = pytest.mark.slow

LENGTHS = [*range(1101), 4095, 4096, 4097, 65537]
NUM_KINDS = 10


def columns_of_every_kind(n: int, dtype: torch.dtype) -> Tensor:
    """Columns: random, constant, sorted, reversed, few values, ±inf, both zeros, NaN, subnormal, tiny differences."""
    random = torch.randn(n, dtype=dtype)
    row = torch.arange(n)
    tiny = torch.finfo(dtype).smallest_normal / 8
    columns = [
        random,
        torch.full_like(random, 2.5),
        random.sort().values,
        random.sort(descending=True).values,
        random.round(),
        random.where(row % 3 > 0, torch.inf * random.sign()),
        random.round().where(row % 2 > 0, torch.tensor(-0.0, dtype=dtype)),
        random.where(row % 5 > 0, torch.where(row % 2 > 0, torch.nan, -torch.nan).to(dtype)),
        (8 * random).round() * tiny,
        1 + random * torch.finfo(dtype).eps,
    ]
    return torch.stack(columns, dim=1)


def sort_native(values: Tensor) -> tuple[Tensor, Tensor]:
    values, order = values.clone(), torch.full(values.shape, -1)
    module().sliced_sort_columns(DTYPES.index(values.dtype), values.data_ptr(), *values.shape, order.data_ptr())
    return values, order


def sort_native_without_order(values: Tensor) -> Tensor:
    values = values.clone()
    module().sliced_sort_columns(DTYPES.index(values.dtype), values.data_ptr(), *values.shape, 0)
    return values


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_matches_stable_torch_sort_at_every_length(isa: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    for n in LENGTHS:
        values = columns_of_every_kind(n, dtype)
        assert values.shape == (n, NUM_KINDS)
        expected, expected_order = values.sort(dim=0, stable=True)
        result, order = sort_native(values)
        assert torch.equal(order, expected_order), f"length {n}"
        for sorted_values in (result, sort_native_without_order(values)):
            torch.testing.assert_close(sorted_values, expected, rtol=0, atol=0, equal_nan=True, msg=f"length {n}")
