"""Registered ops of the pairwise engine: opcheck, torch.compile, vmap, torch.func."""

import warnings

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels import pairwise
from tests.truth.cases import CASES, CHAMFER, CRAMER_WOLD, MMDS, leaves, with_gradients

FEW = [*MMDS[::6], *CRAMER_WOLD, *CHAMFER]


def draw(case, *batch, n=7, m=5, d=3, dtype=torch.float64):
    torch.manual_seed(0)
    return [torch.randn(*batch, k, d, dtype=dtype) for k in (n, m)][: case.samples]


@pytest.mark.parametrize("needs_grad", [(True, True), (True, False), (False, False)])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_opcheck_pairwise(needs_grad, batch):
    x, y = (torch.randn(*batch, n, 3).requires_grad_(need) for n, need in zip((5, 4), needs_grad, strict=True))
    torch.library.opcheck(pairwise.pairwise, (x, y, "imq", [1.0, 2.0], [0.1, -0.2, 0.3], False, *needs_grad))


@pytest.mark.parametrize("batch", [(), (2,)])
def test_opcheck_nearest(batch):
    torch.library.opcheck(pairwise.nearest_neighbors, (torch.randn(*batch, 5, 3), torch.randn(*batch, 4, 3)))


@pytest.mark.parametrize("case", FEW, ids=str)
@pytest.mark.parametrize("d", [3, 20])
def test_torch_compile_fullgraph(case, d):
    torch._dynamo.reset()
    compiled = torch.compile(case.loss, fullgraph=True, backend="aot_eager")
    for n in (7, 9, 12):  # the second and third with dynamic shapes
        inputs = draw(case, n=n, d=d)
        torch.testing.assert_close(with_gradients(compiled, *inputs), with_gradients(case, *inputs))


def test_torch_compile_inductor():
    x, y = torch.randn(9, 3), torch.randn(6, 3)
    compiled = torch.compile(lambda x, y: fl.mmd_imq(2 * x, y).exp(), fullgraph=True)
    eager = with_gradients(lambda x, y: fl.mmd_imq(2 * x, y).exp(), x, y)
    torch.testing.assert_close(with_gradients(compiled, x, y), eager)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_vmap_matches_loop(case):
    inputs = draw(case, 4)
    looped = torch.stack([case(*items) for items in zip(*inputs, strict=True)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # vmap must not fall back to a loop
        torch.testing.assert_close(torch.vmap(case.loss)(*inputs), looped)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_gradients_through_vmap(case):
    inputs = draw(case, 4)
    torch.testing.assert_close(with_gradients(torch.vmap(case.loss), *inputs), with_gradients(case, *inputs))


def test_vmap_over_one_input_broadcasts_the_other():
    x, y = torch.randn(4, 7, 3), torch.randn(5, 3)
    looped = torch.stack([fl.mmd_imq(item, y) for item in x])
    torch.testing.assert_close(torch.vmap(fl.mmd_imq, in_dims=(0, None))(x, y), looped)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_func_grad_matches_autograd(case):
    inputs = draw(case)
    _, *gradients = with_gradients(case, *inputs)
    by_func = torch.func.grad(case.loss, argnums=tuple(range(case.samples)))(*inputs)
    torch.testing.assert_close(list(by_func), gradients)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_func_hessian_matches_autograd(case):
    x, *rest = draw(case, n=4, m=3, d=2)
    expected = torch.autograd.functional.hessian(lambda x: case(x, *rest), x)
    reverse = torch.func.jacrev(torch.func.grad(lambda x: case.loss(x, *rest)))(x)
    forward = torch.func.hessian(lambda x: case.loss(x, *rest))(x)
    torch.testing.assert_close(reverse, expected)
    torch.testing.assert_close(forward, expected)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_per_sample_gradients_match_loop(case):
    inputs = draw(case, 3)
    per_sample = torch.vmap(torch.func.grad(case.loss))(*inputs)
    expected = [
        torch.autograd.grad(case(first, *rest), first)[0] for first, *rest in zip(*leaves(*inputs), strict=True)
    ]
    torch.testing.assert_close(per_sample, torch.stack(expected))
