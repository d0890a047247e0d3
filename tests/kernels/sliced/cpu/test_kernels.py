"""Native CPU kernels of the sliced engine against the reference in float64."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import fastlatent
from fastlatent.kernels.sliced import EppsPulley, SlicedDistance
from fastlatent.losses.directions import random_directions

# (n, m, d, directions): 1, 2, 3; around the sizes of a sorting network, a chunk of rows, a block of directions; both
# sorts; n ≠ m.
SHAPES = [
    (1, 1, 1, 1), (2, 3, 2, 1), (3, 2, 5, 2), (16, 16, 8, 32), (17, 17, 33, 33), (64, 63, 31, 31), (65, 65, 7, 64),
    (513, 100, 4, 9), (2049, 2049, 3, 5), (2500, 700, 3, 3), (8200, 8200, 2, 3), (300, 8200, 2, 3),
]  # fmt: skip

# Error relative to the largest entry: sums of up to 3000 terms, in an order other than PyTorch's.
ERRORS = {torch.float32: 3e-6, torch.float64: 1e-13}


def lattice(n: int, d: int, dtype: torch.dtype) -> Tensor:
    """Return points whose projections on the axes tie often and are exact in every dtype."""
    return torch.randint(-20, 20, (n, d)).to(dtype) / 8


def gradients(
    operation: Callable[..., Tensor], inputs: tuple[Tensor, ...], needs_grad: tuple[bool, ...]
) -> list[Tensor]:
    leaves = [i.detach().clone().requires_grad_(need) for i, need in zip(inputs, needs_grad, strict=True)]
    value = operation(*leaves)
    if any(needs_grad):
        value.sum().backward()
    return [value.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]


def on(
    backend: str, operation: Callable[..., Tensor], inputs: tuple[Tensor, ...], needs_grad: tuple[bool, ...]
) -> list[Tensor]:
    with fastlatent.use_backend(backend):
        return gradients(operation, inputs, needs_grad)


@pytest.mark.parametrize("dtype", ERRORS)
@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_matches_reference_with_tied_projections(isa: str, dtype: torch.dtype, p: float) -> None:
    torch.manual_seed(1)
    for (n, m, d, count), x_needs_grad, y_needs_grad in itertools.product(SHAPES, (False, True), (False, True)):
        axes = torch.eye(d, dtype=dtype)[:, torch.arange(count) % d]
        inputs = (lattice(n, d, dtype), lattice(m, d, dtype), axes)
        needs_grad = (x_needs_grad, y_needs_grad, False)
        actual = on("cpu", SlicedDistance(p), inputs, needs_grad)
        truth = on("reference", SlicedDistance(p), tuple(i.double() for i in inputs), needs_grad)
        for a, b in zip(actual, truth, strict=True):
            scale = b.abs().max().clamp(min=1e-30)
            assert (a - b).abs().max() / scale <= ERRORS[dtype], (n, m, d, count, x_needs_grad, y_needs_grad)


def mean_square_errors(operation: Callable[..., Tensor], draws: list[tuple[Tensor, ...]]) -> tuple[Tensor, Tensor]:
    """Return relative mean square errors of value and gradients in float32: of the native backend, and of PyTorch.

    The error of a single draw is random, so errors are averaged over several draws.
    """
    errors = []
    for inputs in draws:
        needs_grad = (*(True for _ in inputs[1:]), False)
        truth = on("reference", operation, tuple(i.double() for i in inputs), needs_grad)
        for backend in ("cpu", "reference"):
            result = on(backend, operation, inputs, needs_grad)
            errors += [((a - b).norm() / b.norm()).square() for a, b in zip(result, truth, strict=True)]
    native_errors, torch_errors = torch.stack(errors).view(len(draws), 2, -1).mean(0)
    return native_errors, torch_errors


def at_most_twice(native_errors: Tensor, torch_errors: Tensor) -> bool:
    """Compare mean square errors, up to one unit in the last place for the rounding of the result."""
    return bool((native_errors <= 4 * torch_errors + torch.finfo(torch.float32).eps ** 2).all())


@pytest.mark.parametrize("shape", [(100, 100, 8, 50), (1024, 1024, 16, 33), (4096, 1000, 8, 20)])
def test_float32_error_at_most_twice_that_of_pytorch(isa: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(2)
    n, m, d, count = shape
    draws = [(torch.randn(n, d), 1.5 * torch.randn(m, d), random_directions(d, count)) for _ in range(10)]
    native_errors, torch_errors = mean_square_errors(SlicedDistance(2), draws)
    assert at_most_twice(native_errors, torch_errors)


@pytest.mark.parametrize("n_points", [2, 16, 17])
@pytest.mark.parametrize("spread", [1.0, 30.0])
def test_epps_pulley_float32_error_at_most_twice_that_of_pytorch(isa: str, n_points: int, spread: float) -> None:
    torch.manual_seed(3)
    operation = EppsPulley(n_points, 3.0)
    for n, d, count in [(2, 3, 3), (65, 33, 31), (400, 9, 40)]:
        draws = [(spread * torch.randn(n, d), random_directions(d, count)) for _ in range(8)]
        native_errors, torch_errors = mean_square_errors(operation, draws)
        assert at_most_twice(native_errors, torch_errors), (n, d, count)


def test_epps_pulley_matches_reference_in_float64(isa: str) -> None:
    """Up to the rounding of sums over 1000 points, in an order other than PyTorch's."""
    for n, d, count in [(1, 1, 1), (65, 33, 31), (1000, 9, 40)]:
        inputs = (torch.randn(n, d, dtype=torch.float64), random_directions(d, count, dtype=torch.float64))
        actual, truth = (on(b, EppsPulley(17, 3.0), inputs, (True, False)) for b in ("cpu", "reference"))
        for a, b in zip(actual, truth, strict=True):
            assert (a - b).norm() <= 1e-13 * b.norm()


@pytest.mark.parametrize("shape", [(70, 70, 5, 40), (3000, 3000, 4, 70), (5000, 300, 4, 33)])
def test_bitwise_identical_for_any_number_of_threads(shape: tuple[int, ...]) -> None:
    torch.manual_seed(4)
    n, m, d, count = shape
    inputs = (torch.randn(n, d), torch.randn(m, d), random_directions(d, count))
    threads, results = torch.get_num_threads(), []
    for number in (1, 2, 3):
        torch.set_num_threads(number)
        epps = on("cpu", EppsPulley(17, 3.0), (inputs[0], inputs[2]), (True, False))
        results.append(on("cpu", SlicedDistance(2), inputs, (True, True, False)) + epps)
    torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for other in results[1:] for a, b in zip(results[0], other, strict=True))


def test_nan_inf_propagate(isa: str) -> None:
    x, y, theta = torch.randn(40, 3), torch.randn(40, 3), random_directions(3, 5)
    x[7, 1] = torch.nan
    value, gradient = on("cpu", SlicedDistance(2), (x, y, theta), (True, False, False))
    assert value.isnan()
    assert gradient[7].isnan().all()
    assert gradient[torch.arange(40) != 7].isfinite().all()
    x[7, 1] = torch.inf
    assert on("cpu", SlicedDistance(2), (x, y, theta), (False, False, False))[0] == torch.inf
    assert on("cpu", EppsPulley(17, 3.0), (x, theta), (False, False))[0].isnan()


def test_views_match_contiguous_copies(isa: str) -> None:
    big = torch.randn(2, 60, 10)
    x, y, theta = big[:, ::2, 1:4], big[:, 1::2, 6:9], random_directions(5, 9).T[::2, :3].T
    actual = on("cpu", SlicedDistance(2), (x, y, theta.expand(2, 3, 5)), (True, True, False))
    copies = on(
        "cpu", SlicedDistance(2), tuple(t.contiguous() for t in (x, y, theta.expand(2, 3, 5))), (True, True, False)
    )
    assert all(torch.equal(a, b) for a, b in zip(actual, copies, strict=True))
