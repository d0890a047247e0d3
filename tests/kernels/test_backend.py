"""Choosing a backend, forcing one, and being told why."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

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


def test_cpu_admits_lapack_and_explain_names_it(without_native):
    x, y = torch.randn(9, 4), torch.randn(8, 4)
    with fl.use_backend("cpu"):
        assert served_by(fl.frechet_distance, x, y) == ["lapack"]


def test_matrices_beyond_the_native_kernels_run_on_lapack():
    explanation = fl.explain(fl.frechet_distance_normal, torch.randn(260, 129), route="eigen")
    assert [d.backend for d in explanation.decisions] == ["lapack"]
    assert "not cpu: it takes matrices of at most 128 rows; these have 129" in str(explanation)


def test_a_backend_of_another_engine_is_an_error_that_names_the_own_ones():
    expected = r"it has no such backend, only triton, matmul, cpu, lapack, reference"
    with fl.use_backend("cuda"), pytest.raises(ValueError, match=expected):
        fl.frechet_distance(torch.randn(9, 4), torch.randn(8, 4))


@pytest.mark.skipif(torch.cuda.is_available(), reason="lists the backends of a machine without a GPU")
def test_show_config_lists_the_backends_of_each_engine(capsys):
    fl.show_config()
    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert rows["engine pairwise"].split(", ") == ["cpu", "reference"]
    assert rows["engine spectral"].split(", ") == ["cpu", "lapack", "reference"]


def test_one_use_backend_object_serves_many_threads():
    forced = fl.use_backend("reference")
    barrier = threading.Barrier(4)

    @forced
    def backend_of_a_loss(_):
        barrier.wait(timeout=10)  # all threads are inside at once
        return fl.explain(fl.mmd_imq, torch.randn(4, 2), torch.randn(4, 2)).decisions[0].backend

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(backend_of_a_loss, range(40))) == {"reference"}
    with forced, forced:
        pass
    assert fl.explain(fl.mmd_imq, torch.randn(4, 2), torch.randn(4, 2)).decisions[0].backend != "reference"


def selected_backend():
    return fl.explain(fl.mmd_imq, torch.randn(4, 2), torch.randn(4, 2)).decisions[0].backend


def test_a_decorated_generator_is_forced_while_it_runs_and_its_caller_is_not():
    @fl.use_backend("reference")
    def losses():
        received = yield selected_backend()
        try:
            yield received, selected_backend()
        except KeyError:
            yield "thrown", selected_backend()
        return selected_backend()

    generator = losses()
    assert next(generator) == "reference"
    assert selected_backend() != "reference"
    assert generator.send(3) == (3, "reference")
    assert generator.throw(KeyError()) == ("thrown", "reference")
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "reference"


def test_a_decorated_coroutine_is_forced_while_others_are_not():
    @fl.use_backend("reference")
    async def forced():
        await asyncio.sleep(0)
        return selected_backend()

    async def free():
        await asyncio.sleep(0)
        return selected_backend()

    async def both():
        return await asyncio.gather(forced(), free())

    first, second = asyncio.run(both())
    assert first == "reference" != second


def test_async_generators_are_refused():
    async def generate():
        yield 1

    with pytest.raises(TypeError, match="use_backend decorates no async generator"):
        fl.use_backend("reference")(generate)
