"""Tensors and modes behind PyTorch's dispatcher: every public loss gives the plain result, or names the argument."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map
from torch.utils.flop_counter import FlopCounterMode

import fastlatent as fl
from fastlatent.kernels import native
from fastlatent.kernels.dispatch import is_plain

torch.manual_seed(0)
X, Y = torch.randn(8, 2), torch.randn(8, 2) + 1
THETA = torch.nn.functional.normalize(torch.randn(2, 5), dim=0)
WIDE = torch.randn(3, 5), torch.randn(4, 5)
MATRIX = torch.tensor([[2.0, 0.3], [0.3, 1.0]])


@dataclass(frozen=True)
class Loss:
    """A public loss, its inputs and its properties."""

    name: str
    function: Callable[..., Tensor]
    inputs: tuple[Tensor, ...] = (X, Y)
    random: bool = False

    def __str__(self) -> str:
        return self.name

    def __call__(self, *inputs: Tensor) -> Tensor:
        torch.manual_seed(0)
        return self.function(*inputs)

    def leaves(self) -> list[Tensor]:
        return [i.clone().requires_grad_() for i in self.inputs]


LOSSES = [
    Loss("mmd_imq", fl.mmd_imq),
    Loss("mmd_rbf", fl.mmd_rbf),
    Loss("mmd_rbf-median", lambda x, y: fl.mmd_rbf(x, y, bandwidths="median")),
    Loss("mmd_laplace", fl.mmd_laplace),
    Loss("mmd_rational_quadratic", fl.mmd_rational_quadratic),
    Loss("energy_distance", fl.energy_distance),
    Loss("polynomial_mmd", fl.polynomial_mmd),
    Loss("mmd-block", lambda x, y: fl.mmd(x, y, fl.IMQ(), estimator="block")),
    Loss("mmd-features", lambda x, y: fl.mmd(x, y, fl.RBF(), estimator="features", n_features=16), random=True),
    Loss("cramer_wold", fl.cramer_wold),
    Loss("cramer_wold_normal", fl.cramer_wold_normal, (X,)),
    Loss("sliced_wasserstein", lambda x, y, theta: fl.sliced_wasserstein(x, y, projections=theta), (X, Y, THETA)),
    Loss("sliced_wasserstein-random", lambda x, y: fl.sliced_wasserstein(x, y, n_projections=5), random=True),
    Loss(
        "sliced_wasserstein-weights",
        lambda x, y, theta, w: fl.sliced_wasserstein(x, y, projections=theta, x_weights=w),
        (X, Y, THETA, torch.arange(1.0, 9.0)),
    ),
    Loss("sliced_wasserstein_normal", lambda x, t: fl.sliced_wasserstein_normal(x, projections=t), (X, THETA)),
    Loss("epps_pulley", lambda x, theta: fl.epps_pulley(x, projections=theta), (X, THETA)),
    Loss("max_sliced_wasserstein", lambda x, y: fl.max_sliced_wasserstein(x, y, n_projections=5), random=True),
    Loss("frechet_distance", fl.frechet_distance),
    Loss("frechet_distance-gram", fl.frechet_distance, WIDE),
    Loss("frechet_distance_normal", fl.frechet_distance_normal, (X,)),
    Loss("bures_wasserstein", fl.bures_wasserstein, (X[0], MATRIX, X[1], MATRIX + torch.eye(2))),
    Loss("sqrtm", fl.sqrtm, (MATRIX,)),
    Loss("sqrtm_newton_schulz", lambda a: fl.sqrtm_newton_schulz(a)[0], (MATRIX,)),
    Loss("chamfer_distance", fl.chamfer_distance),
    Loss("nearest", lambda x, y: fl.nearest(x, y)[1]),
]
ALL = pytest.mark.parametrize("loss", LOSSES, ids=str)
DETERMINISTIC = pytest.mark.parametrize("loss", [c for c in LOSSES if not c.random], ids=str)


class Wrapper(Tensor):
    """A tensor without memory that holds another and runs every operator on it."""

    @staticmethod
    def __new__(cls, inner: Tensor, requires_grad: bool = False) -> "Wrapper":
        return Tensor._make_wrapper_subclass(
            cls, inner.shape, dtype=inner.dtype, strides=inner.stride(), requires_grad=requires_grad
        )

    def __init__(self, inner: Tensor, requires_grad: bool = False) -> None:
        self.inner = inner.detach()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        def unwrap(t):
            return t.inner if isinstance(t, Wrapper) else t

        def wrap(t):
            return Wrapper(t) if isinstance(t, Tensor) else t

        return tree_map(wrap, func(*tree_map(unwrap, args), **tree_map(unwrap, kwargs or {})))


class Named(Tensor):
    """A subclass with memory."""


class Passing(TorchFunctionMode):
    """A function mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def negated(x: Tensor) -> Tensor:
    """Return a view of −x in memory with the negative bit: the values of x."""
    view = torch._neg_view(-x)
    assert view.is_neg()
    return view


def imaginary(x: Tensor) -> Tensor:
    """Return the imaginary part of a conjugate view: the values of x."""
    view = torch.complex(x, -x).conj().imag
    assert view.is_neg()
    return view


VIEWS = {
    "neg view": negated,
    "conjugate view": imaginary,
    "subclass": lambda x: x.as_subclass(Named),
    "parameter": lambda x: x,
}


@ALL
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_and_subclasses_have_the_values_and_gradients_of_a_copy(loss: Loss, view: Callable) -> None:
    plain, first = loss.leaves(), loss.leaves()
    loss(*plain).sum().backward()
    value = loss(view(first[0]), *first[1:])
    value.sum().backward()
    torch.testing.assert_close(value.detach().as_subclass(Tensor), loss(*loss.inputs))
    for actual, expected in zip(first, plain, strict=True):
        torch.testing.assert_close(actual.grad, expected.grad)


@ALL
def test_every_input_may_be_a_neg_view(loss: Loss) -> None:
    torch.testing.assert_close(loss(*map(negated, loss.inputs)), loss(*loss.inputs))


@ALL
def test_wrapper_subclasses_dispatch_the_operator(loss: Loss) -> None:
    plain, wrapped = loss.leaves(), [Wrapper(i, requires_grad=True) for i in loss.inputs]
    loss(*plain).sum().backward()
    value = loss(*wrapped)
    value.sum().backward()
    torch.testing.assert_close(value.inner, loss(*loss.inputs))
    for actual, expected in zip(wrapped, plain, strict=True):
        torch.testing.assert_close(actual.grad if actual.grad is None else actual.grad.inner, expected.grad)


@ALL
def test_fake_tensors_give_the_shapes_and_leave_the_caches_plain(loss: Loss) -> None:
    expected = loss(*loss.inputs)
    with FakeTensorMode() as mode:
        inputs = [mode.from_tensor(i).requires_grad_() for i in loss.inputs]
        value = loss(*inputs)
        value.sum().backward()
        assert (value.shape, value.dtype) == (expected.shape, expected.dtype)
        assert all(i.grad is None or i.grad.shape == i.shape for i in inputs)
    torch.testing.assert_close(loss(*loss.inputs), expected, rtol=0, atol=0)


@DETERMINISTIC
def test_fake_tensors_outside_their_mode(loss: Loss) -> None:
    if loss.name in ("mmd_rbf-median", "sliced_wasserstein_normal", "sliced_wasserstein-weights"):
        pytest.skip("creates tensors: FakeTensor raises an AssertionError outside its mode")
    mode = FakeTensorMode()
    assert loss(*map(mode.from_tensor, loss.inputs)).shape == loss(*loss.inputs).shape


@ALL
def test_meta_tensors_give_the_shapes(loss: Loss) -> None:
    value = loss(*(i.to("meta") for i in loss.inputs))
    assert (value.device.type, value.shape) == ("meta", loss(*loss.inputs).shape)


@ALL
def test_default_device_does_not_reach_inside(loss: Loss) -> None:
    expected = loss(*loss.inputs)
    plain, inputs = loss.leaves(), loss.leaves()
    loss(*plain).sum().backward()
    torch.set_default_device("meta")
    try:
        value = loss(*inputs)
        value.sum().backward()
    finally:
        torch.set_default_device(None)
    torch.testing.assert_close(value.detach(), expected)
    for actual, leaf in zip(inputs, plain, strict=True):
        torch.testing.assert_close(actual.grad, leaf.grad)


@pytest.mark.parametrize("loss", [c for c in LOSSES if c.inputs[0] is X], ids=str)
def test_zeros_without_memory(loss: Loss) -> None:
    zeros = torch._efficientzerotensor(X.shape)
    assert zeros._is_zerotensor()
    torch.testing.assert_close(loss(zeros, *loss.inputs[1:]), loss(torch.zeros(X.shape), *loss.inputs[1:]))


MODES = {
    "dispatch mode": lambda: FlopCounterMode(display=False),
    "function mode": Passing,
    "inference mode": torch.inference_mode,
}


@ALL
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_modes_change_nothing(loss: Loss, mode: Callable) -> None:
    if mode is torch.inference_mode and loss.name.startswith("max_sliced"):
        pytest.skip("its ascent differentiates")
    expected = loss(*loss.inputs)
    with mode():
        value = loss(*loss.inputs)
    torch.testing.assert_close(value, expected)


@ALL
def test_functionalize(loss: Loss) -> None:
    if loss.name.startswith("max_sliced"):
        pytest.skip("its ascent calls requires_grad_, which torch.func refuses")
    expected = loss(*loss.inputs)
    torch.testing.assert_close(torch.func.functionalize(loss)(*loss.inputs), expected)
    torch.testing.assert_close(loss(*loss.inputs), expected, rtol=0, atol=0)


@ALL
def test_functional_tensors(loss: Loss) -> None:
    value = loss(*map(torch._to_functional_tensor, loss.inputs))
    torch._sync(value)
    torch.testing.assert_close(torch._from_functional_tensor(value), loss(*loss.inputs))


@DETERMINISTIC
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_jit_trace_records_the_computation_and_its_gradient(loss: Loss) -> None:
    traced = torch.jit.trace(loss.function, loss.inputs, check_trace=False)
    other = [(1.1 * i).requires_grad_() for i in loss.inputs]
    expected = [i.detach().clone().requires_grad_() for i in other]
    value, truth = traced(*other), loss(*expected)
    torch.testing.assert_close(value, truth)
    value.sum().backward()
    truth.sum().backward()
    for actual, leaf in zip(other, expected, strict=True):
        torch.testing.assert_close(actual.grad, leaf.grad)


@DETERMINISTIC
@pytest.mark.parametrize("mode", ["real", "fake"])
def test_make_fx_records_the_computation(loss: Loss, mode: str) -> None:
    graph = make_fx(lambda *inputs: loss.function(*inputs), tracing_mode=mode)(*loss.inputs)
    other = [1.1 * i for i in loss.inputs]
    torch.testing.assert_close(graph(*other), loss(*other))


@DETERMINISTIC
def test_export_records_the_computation(loss: Loss) -> None:
    class Module(torch.nn.Module):
        def forward(self, *inputs: Tensor) -> Tensor:
            return loss.function(*inputs)

    expected = loss(*loss.inputs)
    exported = torch.export.export(Module(), loss.inputs, strict=False).module()
    torch.testing.assert_close(exported(*loss.inputs), expected)
    torch.testing.assert_close(loss(*loss.inputs), expected, rtol=0, atol=0)


NAMES = {"bures_wasserstein": "cov1", "sqrtm": "a", "sqrtm_newton_schulz": "a"}


@ALL
@pytest.mark.filterwarnings("ignore:The PyTorch API of:UserWarning")
def test_masked_and_nested_tensors_are_refused_by_name(loss: Loss) -> None:
    name = NAMES.get(loss.name, "x")
    masked = [torch.masked.masked_tensor(i, torch.ones_like(i, dtype=torch.bool)) for i in loss.inputs]
    with pytest.raises(TypeError, match=f"{name} must be a plain torch.Tensor .* got MaskedTensor"):
        loss(*masked)
    nested = [torch.nested.nested_tensor([i, i]) for i in loss.inputs]
    with pytest.raises(ValueError, match=f"{name} must be a dense tensor"):
        loss(*nested)


@pytest.mark.parametrize("loss", [c for c in LOSSES if c.name in ("mmd_imq", "sqrtm", "chamfer_distance")], ids=str)
def test_distributed_tensors_are_refused_by_name(loss: Loss, tmp_path) -> None:
    from torch.distributed.tensor import DTensor, Shard, init_device_mesh

    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))
        inputs = [DTensor.from_local(i, mesh, [Shard(0)]) for i in loss.inputs]
        with pytest.raises(TypeError, match=f"{NAMES.get(loss.name, 'x')} must be a plain torch.Tensor .* got DTensor"):
            loss(*inputs)
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize(
    "loss", [c for c in LOSSES if c.inputs[0] is X and not c.name.endswith(("features", "median"))], ids=str
)
def test_freed_storage_raises(loss: Loss) -> None:
    inputs = [i.clone() for i in loss.inputs]
    inputs[0].untyped_storage().resize_(0)
    with pytest.raises((ValueError, RuntimeError), match=r"null address|not allocated|storage"):
        loss(*inputs)


def test_plain_tensors() -> None:
    assert is_plain(X, torch.nn.Parameter(Y), X[:0], X[::2], X.to("meta"))
    assert not is_plain(X, negated(Y))
    assert not is_plain(torch._efficientzerotensor(X.shape))
    assert not is_plain(Wrapper(X))
    assert not is_plain(X.as_subclass(Named))
    with FlopCounterMode(display=False):
        assert not is_plain(X)
    with Passing():
        assert not is_plain(X)


NULL_CALLS = {
    "pairwise_sum": (0, [1.0], 1.0, 1.0, 1.0, False, 1, 0, 0, 1, 2, 2, 2, 0, 0, 0, 1),
    "pairwise_nearest": (1, 0, 0, 1, 2, 2, 2, 0, 1),
    "sliced_wasserstein": (1, 2.0, False, 0, 0, 0, True, 1, 2, 2, 2, 2, 0, 0, 0, 1),
    "sliced_epps_pulley": (1, [1.0], [1.0], 0, 0, True, 1, 2, 2, 2, 0, 0, 1),
    "sliced_sort_columns": (1, 0, 2, 2, 0),
    "spectral_frechet": (1, 0, 0, 1, 2, 2, 2, 0.0, False, False, 0, 0, 0, 1),
    "spectral_frechet_normal": (1, 0, 1, 2, 2, 0.0, False, False, 0, 0, 1),
    "spectral_bures": (1, 0, 0, 1, 2, False, 0, 0, 0, 1),
}


@pytest.mark.parametrize("function", NULL_CALLS)
def test_native_functions_refuse_null_addresses(function: str) -> None:
    with pytest.raises(ValueError, match="null address"):
        getattr(native.module(), function)(*NULL_CALLS[function])


@pytest.mark.parametrize(("profile", "count"), [(0, 0), (1, 0), (5, 0), (6, 3), (6, 200), (7, 2), (-1, 1), (8, 1)])
def test_native_profiles_refuse_other_numbers_of_parameters(profile: int, count: int) -> None:
    with pytest.raises(ValueError, match="profile"):
        native.module().pairwise_sum(profile, [1.0] * count, *NULL_CALLS["pairwise_sum"][2:])


def test_native_quadrature_refuses_no_points() -> None:
    with pytest.raises(ValueError, match="quadrature"):
        native.module().sliced_epps_pulley(1, [], [], *NULL_CALLS["sliced_epps_pulley"][3:])
