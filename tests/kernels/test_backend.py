"""Selection of a backend: default, use_backend, explain."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import fastlatent as fl
from tests.truth.cases import CASES, with_gradients
from tests.truth.clouds import Clouds

X, Y = torch.randn(8, 3), torch.randn(6, 3)


def selected_backends(*args, **kwargs):
    return [d.backend for d in fl.explain(*args, **kwargs).decisions]


def test_native_cpu_backend_is_selected():
    assert selected_backends(fl.mmd_imq, X, Y) == ["cpu"]


@pytest.mark.parametrize("name", ["reference", "cpu"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_use_backend_selects(case, name):
    with fl.use_backend(name):
        assert set(selected_backends(case.loss, *(X, Y)[: case.samples])) == {name}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_backends_agree(case):
    inputs = Clouds(97, 50, 7).draw(torch.float64)[: case.samples]
    with fl.use_backend("reference"):
        expected = with_gradients(case, *inputs)
    with fl.use_backend("cpu"):
        torch.testing.assert_close(with_gradients(case, *inputs), expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", ["triton", "cuda"])
@pytest.mark.parametrize("loss", [fl.mmd_imq, fl.chamfer_distance], ids=lambda f: f.__name__)
def test_unsupported_forced_backend_is_an_error(loss, name):
    with fl.use_backend(name), pytest.raises(ValueError, match=rf"use_backend\('{name}'\): the pairwise engine cannot"):
        loss(X, Y)


def test_use_backend_ends_with_the_block_after_an_error():
    with pytest.raises(ZeroDivisionError), fl.use_backend("reference"):
        raise ZeroDivisionError
    assert selected_backends(fl.mmd_imq, X, Y) == ["cpu"]


def test_use_backend_nests_and_decorates():
    @fl.use_backend("reference")
    def penalty():
        with fl.use_backend("cpu"):
            inner = selected_backends(fl.mmd_imq, X, Y)
        return inner, selected_backends(fl.mmd_imq, X, Y)

    assert penalty() == penalty() == (["cpu"], ["reference"])


def test_unknown_backend_is_an_error():
    with pytest.raises(
        ValueError, match="backend must be one of reference, cpu, lapack, matmul, triton, cuda; got 'gpu'"
    ):
        fl.use_backend("gpu")


def test_explain_gives_reasons_for_rejected_backends():
    text = str(fl.explain(fl.mmd_imq, X, Y))
    assert "pairwise: cpu" in text
    assert "not reference: cpu is faster here" in text
    with fl.use_backend("reference"):
        assert "not cpu: forced by use_backend" in str(fl.explain(fl.mmd_imq, X, Y))
    text = str(fl.explain(fl.mmd_imq, X.to("meta"), Y.to("meta")))
    assert "pairwise: reference" in text
    assert "not cpu: the tensors are on meta" in text


def test_explain_of_a_function_without_engine_calls():
    assert str(fl.explain(torch.exp, X)) == "no engine was called"


def test_missing_native_module_falls_back_to_reference(without_native):
    explanation = fl.explain(fl.mmd_imq, X, Y)
    assert [d.backend for d in explanation.decisions] == ["reference"]
    assert "not cpu: the native module was not built" in str(explanation)
    with fl.use_backend("cpu"), pytest.raises(ValueError, match="the native module was not built"):
        fl.mmd_imq(X, Y)


def test_use_backend_cpu_admits_lapack(without_native):
    x, y = torch.randn(9, 4), torch.randn(8, 4)
    with fl.use_backend("cpu"):
        assert selected_backends(fl.frechet_distance, x, y) == ["lapack"]


def test_matrices_beyond_the_native_kernels_run_on_lapack():
    explanation = fl.explain(fl.frechet_distance_normal, torch.randn(260, 129), route="eigen")
    assert [d.backend for d in explanation.decisions] == ["lapack"]
    assert "not cpu: it takes matrices of at most 128 rows; these have 129" in str(explanation)


def test_backend_of_another_engine_is_an_error_that_lists_available_backends():
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
