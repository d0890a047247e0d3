"""Random affine maps of images."""

import pytest
import scipy.ndimage
import torch

from fastlatent.models import RandomAffine
from fastlatent.models.base.data_parallel import DataParallelContext


class FixedContext(DataParallelContext):
    """Context that returns given numbers instead of random ones."""

    def __init__(self, numbers):
        super().__init__()
        self.numbers = numbers

    def normal_like(self, x):
        return self.numbers.to(x)


def test_amount_0_is_the_identity():
    x = torch.rand(3, 1, 6, 8, dtype=torch.float64)
    torch.testing.assert_close(RandomAffine(0.0)(x), x)


def test_translation_by_whole_pixels_pads_with_0():
    x = torch.arange(1.0, 17).view(1, 1, 4, 4)
    one_to_the_left = torch.tensor([[[0.0, 0, 1], [0, 0, 0]]])  # b = ½, the width of a pixel, as 4 pixels span −1 to 1
    expected = torch.cat([x[..., 1:], torch.zeros(1, 1, 4, 1)], 3)
    torch.testing.assert_close(RandomAffine(1.0)(x, FixedContext(one_to_the_left)), expected)


def test_equals_scipys_affine_transform():
    torch.manual_seed(0)
    x, entries = torch.rand(5, 2, 7, 9, dtype=torch.float64), torch.randn(5, 2, 3, dtype=torch.float64)
    transformed = RandomAffine(0.2)(x, FixedContext(entries))
    half = torch.tensor([3.5, 4.5], dtype=x.dtype)  # p = (pixel + ½)/half − 1, in (row, column)
    for images, entry, results in zip(x, entries, transformed, strict=True):
        matrix = torch.eye(2, 3) + entry * torch.tensor([0.2, 0.2, 0.1])
        linear = matrix[:, :2].flip(0, 1) * half[:, None] / half
        offset = half * (1 + matrix[:, 2].flip(0)) - 0.5 - linear @ (half - 0.5)
        for image, result in zip(images, results, strict=True):
            expected = scipy.ndimage.affine_transform(image, linear, offset, order=1, mode="grid-constant")
            torch.testing.assert_close(result, torch.from_numpy(expected))


def test_maps_are_independent_for_images_and_calls():
    torch.manual_seed(0)
    x = torch.rand(1, 1, 8, 8).expand(4, 1, 8, 8)
    augment = RandomAffine()
    first, second = augment(x), augment(x)
    assert len(torch.cat([first, second]).unique(dim=0)) == 8


def test_ranks_use_the_maps_of_a_single_process():
    x = torch.rand(6, 1, 8, 8)
    torch.manual_seed(0)
    whole = RandomAffine()(x)
    for rank in range(2):
        context = DataParallelContext()
        context.rank, context.size = rank, 2
        part = context.local_slice(6)
        torch.manual_seed(0)
        torch.testing.assert_close(RandomAffine()(x[part], context), whole[part])


def test_half_precision_is_transformed_in_float32():
    x = torch.rand(3, 1, 28, 28).bfloat16()
    torch.manual_seed(0)
    transformed = RandomAffine()(x)
    torch.manual_seed(0)
    assert torch.equal(transformed, RandomAffine()(x.float()).bfloat16())


def test_invalid_arguments_raise():
    with pytest.raises(ValueError, match="amount must be"):
        RandomAffine(-0.1)
    with pytest.raises(ValueError, match=r"x must be images \(n, channels, h, w\); got \(4, 3\)"):
        RandomAffine()(torch.zeros(4, 3))
