"""Choosing a backend, forcing one, and being told why."""

import pytest
import torch

import fastlatent as fl
from fastlatent.kernels import native
from tests.truth.cases import CASES, with_gradients
from tests.truth.clouds import Clouds

X, Y = torch.randn(8, 3), torch.randn(6, 3)


@pytest.fixture
def without_native(monkeypatch):
    monkeypatch.setattr(native, "module", lambda: None)


def served_by(*args, **kwargs):
    return [d.backend for d in fl.explain(*args, **kwargs).decisions]


def test_the_fastest_that_can_serve_is_chosen():
    assert served_by(fl.mmd_imq, X, Y) == ["cpu"]


@pytest.mark.parametrize("name", ["reference", "cpu"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_forced_backend_serves(case, name):
    with fl.use_backend(name):
        assert set(served_by(case.loss, *(X, Y)[: case.samples])) == {name}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_backends_agree(case):
    inputs = Clouds(97, 50, 7).draw(torch.float64)[: case.samples]
    with fl.use_backend("reference"):
        expected = with_gradients(case, *inputs)
    with fl.use_backend("cpu"):
        torch.testing.assert_close(with_gradients(case, *inputs), expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", ["triton", "cuda"])
@pytest.mark.parametrize("loss", [fl.mmd_imq, fl.chamfer_distance], ids=lambda f: f.__name__)
def test_a_forced_backend_that_cannot_serve_is_an_error(loss, name):
    with fl.use_backend(name), pytest.raises(ValueError, match=rf"use_backend\('{name}'\): the pairwise engine cannot"):
        loss(X, Y)


def test_forcing_ends_with_the_block_even_after_an_error():
    with pytest.raises(ZeroDivisionError), fl.use_backend("reference"):
        raise ZeroDivisionError
    assert served_by(fl.mmd_imq, X, Y) == ["cpu"]


def test_blocks_nest_and_decorate():
    @fl.use_backend("reference")
    def penalty():
        with fl.use_backend("cpu"):
            inner = served_by(fl.mmd_imq, X, Y)
        return inner, served_by(fl.mmd_imq, X, Y)

    assert penalty() == penalty() == (["cpu"], ["reference"])


def test_unknown_names_are_refused():
    with pytest.raises(
        ValueError, match="backend must be one of reference, cpu, lapack, matmul, triton, cuda; got 'gpu'"
    ):
        fl.use_backend("gpu")


def test_explain_says_why_the_others_did_not_serve():
    text = str(fl.explain(fl.mmd_imq, X, Y))
    assert "pairwise: cpu" in text
    assert "not reference: cpu is faster here" in text
    with fl.use_backend("reference"):
        assert "not cpu: forced by use_backend" in str(fl.explain(fl.mmd_imq, X, Y))
    text = str(fl.explain(fl.mmd_imq, X.to("meta"), Y.to("meta")))
    assert "pairwise: reference" in text
    assert "not cpu: the tensors are on meta" in text


def test_without_the_native_module_the_reference_serves_and_says_so(without_native):
    explanation = fl.explain(fl.mmd_imq, X, Y)
    assert [d.backend for d in explanation.decisions] == ["reference"]
    assert "not cpu: the native module was not built" in str(explanation)
    with fl.use_backend("cpu"), pytest.raises(ValueError, match="the native module was not built"):
        fl.mmd_imq(X, Y)


def test_show_config_prints_what_the_machine_has(capsys):
    fl.show_config()
    shown = capsys.readouterr().out
    for what in ("fastlatent", torch.__version__, "threads", "backend cpu", native.module().isa(), "backend triton"):
        assert what in shown


def test_show_config_says_that_the_native_module_is_missing(without_native, capsys):
    fl.show_config()
    assert "the native module was not built" in capsys.readouterr().out
