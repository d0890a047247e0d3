"""First and second derivatives of every pairwise loss."""

import pytest
import torch

import fastlatent as fl
from tests.truth.cases import CASES, CHAMFER, CRAMER_WOLD, MMDS, leaves, with_gradients
from tests.truth.clouds import Clouds

ALL = pytest.mark.parametrize("case", CASES, ids=str)
FEW = pytest.mark.parametrize("case", [*MMDS[::6], *CRAMER_WOLD, *CHAMFER], ids=str)


def draw(case, n=4, m=3, d=2, dtype=torch.float64):
    return leaves(*Clouds(n, m, d).draw(dtype)[: case.samples])


@ALL
@pytest.mark.parametrize("d", [1, 3, 20])
def test_gradcheck(case, d, backend):
    inputs = draw(case, d=d)
    assert torch.autograd.gradcheck(case.loss, inputs)


@ALL
@pytest.mark.parametrize("d", [1, 3, 20])
def test_gradgradcheck(case, d):
    assert torch.autograd.gradgradcheck(case.loss, draw(case, d=d), fast_mode=True)


@ALL
def test_second_derivatives_agree_between_backends(case):
    def gradient_penalty(*inputs):
        gradients = torch.autograd.grad(case(*inputs), inputs, create_graph=True)
        return torch.stack([g.square().sum() for g in gradients]).sum()

    inputs = draw(case, 50, 49, 3)
    with fl.use_backend("cpu"):
        native = with_gradients(gradient_penalty, *inputs)
    with fl.use_backend("reference"):
        torch.testing.assert_close(native, with_gradients(gradient_penalty, *inputs), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", [c for c in CASES if c.samples == 2], ids=str)
def test_gradient_by_one_input(case, backend):
    x, y = draw(case, 60, 50)
    both = with_gradients(case, x, y)[1:]
    for i, gradient in enumerate(both):
        inputs = [x.detach(), y.detach()]
        inputs[i].requires_grad_()
        (alone,) = torch.autograd.grad(case(*inputs), inputs[i])
        torch.testing.assert_close(alone, gradient, rtol=0, atol=1e-14)


@ALL
def test_leading_dimensions_are_batches(case, backend):
    inputs = [torch.randn(2, 3, k, 4, dtype=torch.float64) for k in (9, 7)][: case.samples]
    value, *gradients = with_gradients(case, *inputs)
    assert value.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            alone = with_gradients(case, *(z[i, j] for z in inputs))
            torch.testing.assert_close([value[i, j], *(g[i, j] for g in gradients)], list(alone))


@FEW
@pytest.mark.parametrize(
    "view",
    [
        lambda z: z.mT.contiguous().mT,
        lambda z: torch.stack([z, z], -1)[..., 0],
        lambda z: z.repeat_interleave(2, 0)[::2],
        lambda z: z[:1].expand_as(z),
        lambda z: z.flip(0),
    ],
    ids=["transposed", "strided", "every other row", "expanded", "flipped"],
)
def test_memory_layout_invariant(case, view, backend):
    inputs = draw(case, 11, 9, 3)
    by_view = with_gradients(lambda *z: case(*map(view, z)), *inputs)
    by_copy = with_gradients(
        lambda *z: case(*(view(i).clone(memory_format=torch.contiguous_format) for i in z)), *inputs
    )
    torch.testing.assert_close(by_view, by_copy)


@FEW
def test_gradient_is_linear_in_loss_weight(case, backend):
    inputs = draw(case)
    _, *gradients = with_gradients(case, *inputs)
    _, *weighted = with_gradients(lambda *z: -3 * case(*z), *inputs)
    torch.testing.assert_close(weighted, [-3 * g for g in gradients])


@FEW
def test_backward_twice_is_bitwise_identical(case, backend):
    inputs = draw(case)
    value = case(*inputs)
    first = torch.autograd.grad(value, inputs, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(value, inputs), first, rtol=0, atol=0)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(value, inputs)


def test_in_place_change_before_backward_is_an_error(backend):
    x, y = torch.randn(5, 2, requires_grad=True), torch.randn(4, 2)
    codes = 2 * x
    loss = fl.mmd_imq(codes, y)
    codes.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_no_graph_without_requires_grad(backend):
    x, y = torch.randn(5, 2, requires_grad=True), torch.randn(4, 2)
    with torch.no_grad():
        assert not fl.mmd_imq(x, y).requires_grad
    assert not fl.mmd_imq(x.detach(), y).requires_grad


@ALL
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_autocast_invariant(case, dtype, backend):
    inputs = [i.to(dtype) for i in draw(case, 20, 10)]
    outside = with_gradients(case, *inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = with_gradients(case, *inputs)
    assert inside[0].dtype == torch.float32
    torch.testing.assert_close(inside, outside, rtol=0, atol=0)


@ALL
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_nan_inf_propagate(case, number, backend):
    """NaN gives NaN. An infinite point is at distance ∞ from its nearest neighbor; sums over pairs of it are NaN."""
    for k in range(case.samples):
        inputs = draw(case, 50, 49, 9)
        inputs[k].data[17, 1] = number
        value, *_ = with_gradients(case, *inputs)
        if case in CHAMFER and number == number:
            assert value == float("inf")
        else:
            assert value.isnan()


@ALL
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_gradients_finite_at_coincident_points(case, dtype, backend):
    x, y = Clouds(12, 10, 3, duplicates=True).draw(dtype)
    for inputs in ((x, y), (x, x), (torch.ones_like(x), torch.ones_like(y))):
        assert all(t.isfinite().all() for t in with_gradients(case, *inputs[: case.samples]))


@pytest.mark.parametrize("case", [c for c in CASES if c.samples == 2 and c.min_points == 1], ids=str)
def test_identical_samples_are_a_zero_minimum(case, backend):
    x, _ = Clouds(60, 60, 3).draw(torch.float64)
    value, *gradients = with_gradients(case, x, x.clone())
    terms = case.exact(x, x).terms
    assert abs(value.item()) <= 1e-14 * (1 + terms)
    for gradient in gradients:
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-13 * (1 + terms))
