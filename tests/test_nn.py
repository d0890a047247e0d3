"""Modules equal their functions, have no state, and show their options."""

import pytest
import torch

import fastlatent as fl
from fastlatent import nn

X, Y = torch.randn(9, 3), torch.randn(7, 3)
MODULES = [
    (nn.MMD(fl.RBF((0.5,)), estimator="biased"), lambda: fl.mmd(X, Y, fl.RBF((0.5,)), estimator="biased")),
    (nn.MMDIMQ(scales=(1.0, 2.0), sigma=2.0), lambda: fl.mmd_imq(X, Y, scales=(1.0, 2.0), sigma=2.0)),
    (nn.MMDIMQ(), lambda: fl.mmd_imq(X, Y)),
    (nn.CramerWold(gamma=0.3), lambda: fl.cramer_wold(X, Y, gamma=0.3)),
    (nn.CramerWold(), lambda: fl.cramer_wold(X, Y)),
    (nn.ChamferDistance(), lambda: fl.chamfer_distance(X, Y)),
    (nn.CramerWoldNormal(gamma=0.3), lambda: fl.cramer_wold_normal(X, gamma=0.3)),
    (nn.CramerWoldNormal(), lambda: fl.cramer_wold_normal(X)),
    (
        nn.SlicedWasserstein(n_projections=7, p=1, orthogonal=True),
        lambda: fl.sliced_wasserstein(X, Y, n_projections=7, p=1, orthogonal=True),
    ),
    (nn.SlicedWassersteinNormal(n_projections=7), lambda: fl.sliced_wasserstein_normal(X, n_projections=7)),
    (
        nn.EppsPulley(n_projections=7, n_points=9, t_max=2.0),
        lambda: fl.epps_pulley(X, n_projections=7, n_points=9, t_max=2.0),
    ),
    (nn.FrechetDistance(), lambda: fl.frechet_distance(X, Y)),
    (nn.FrechetDistance(eps=0.1), lambda: fl.frechet_distance(X, Y, eps=0.1)),
    (nn.FrechetDistanceNormal(), lambda: fl.frechet_distance_normal(X)),
    (nn.FrechetDistanceNormal(eps=0.1), lambda: fl.frechet_distance_normal(X, eps=0.1)),
]
ONE_SAMPLE = (nn.CramerWoldNormal, nn.SlicedWassersteinNormal, nn.EppsPulley, nn.FrechetDistanceNormal)
modules = pytest.mark.parametrize(("module", "function"), MODULES, ids=[str(m) for m, _ in MODULES])


@modules
def test_module_equals_its_function(module, function):
    inputs = (X,) if isinstance(module, ONE_SAMPLE) else (X, Y)
    torch.manual_seed(0)
    value = module(*inputs)
    torch.manual_seed(0)
    assert value == function()


@modules
def test_module_has_no_state(module, function):
    assert not module.state_dict()


def test_repr_has_the_options():
    assert repr(nn.MMDIMQ(scales=(1.0,), sigma=2.0)) == "MMDIMQ(IMQ(scales=(1.0,), sigma=2.0), estimator='unbiased')"
    assert repr(nn.CramerWold(gamma=0.5)) == "CramerWold(gamma=0.5)"
    assert repr(nn.CramerWoldNormal()) == "CramerWoldNormal(gamma=None)"
    assert repr(nn.SlicedWasserstein()) == "SlicedWasserstein(n_projections=128, p=2, orthogonal=False)"
    assert repr(nn.SlicedWassersteinNormal()) == "SlicedWassersteinNormal(n_projections=128)"
    assert repr(nn.EppsPulley()) == "EppsPulley(n_projections=128, n_points=17, t_max=3.0)"


def test_modules_raise_like_their_functions():
    with pytest.raises(ValueError, match="sigma must be a finite number > 0; got 0"):
        nn.MMDIMQ(sigma=0)
    with pytest.raises(ValueError, match="x must have n >= 2"):
        nn.MMDIMQ()(X[:1], Y)
