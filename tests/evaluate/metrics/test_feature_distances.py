"""Fréchet and kernel distances of features."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel

from fastlatent.evaluate import EvaluatedModel
from fastlatent.evaluate.features import inception
from fastlatent.evaluate.features.classifier import classifier_features
from fastlatent.evaluate.metrics import feature_distances
from fastlatent.models import MODEL_CONFIGS

pytestmark = pytest.mark.slow


def by_label(results, start):
    return {result.label: result.value for result in results if result.group.startswith(start)}


def test_distances_of_images_of_the_model_floor_and_noise(untrained):
    results = feature_distances.classifier(untrained)
    for start in ("Fréchet", "KID"):
        values = by_label(results, start)
        assert len(values) == 5
        floor, noise = values["450 training images (floor)"], values["independent pixels of training images (noise)"]
        assert floor < noise
        assert all(value > floor for label, value in values.items() if "floor" not in label)
    assert [result.is_model for result in results] == [True, True, True, False, False] * 2
    assert all("features of a classifier (test error" in result.group for result in results)


def test_distances_match_numpy(untrained, digits, classifiers):
    results = feature_distances.classifier(untrained)
    extract = classifier_features("digits", digits.train, digits.test, torch.device("cpu"), classifiers).extract
    x, y = (extract(z).double().numpy() for z in (untrained.reconstructions, untrained.test.x))
    k = {name: polynomial_kernel(a, b) for name, (a, b) in {"xx": (x, x), "xy": (x, y), "yy": (y, y)}.items()}
    n = len(x)
    within = sum((k[name].sum() - np.trace(k[name])) / (n * (n - 1)) for name in ("xx", "yy"))
    kid = within - 2 * k["xy"].mean()
    cov = np.cov(x.T) @ np.cov(y.T)
    root = np.sqrt(np.maximum(np.linalg.eigvals(cov).real, 0)).sum()  # Tr (Σ₁Σ₂)^½
    frechet = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(np.cov(x.T)) + np.trace(np.cov(y.T)) - 2 * root
    label = "reconstructions of test images"
    assert by_label(results, "KID")[label] == pytest.approx(kid, rel=1e-6)
    assert by_label(results, "Fréchet")[label] == pytest.approx(frechet, rel=1e-4)  # eigenvalues near 0 are inaccurate


def test_model_without_encoder_has_distances_of_samples_only(digits):
    gan = EvaluatedModel(MODEL_CONFIGS["gan"](hidden=(8,)).build(digits.shape), digits)
    results = feature_distances.classifier(gan)
    assert [result.label for result in results if result.is_model] == ["samples of this model"] * 2


def test_no_inception_distances_without_torch_fidelity_or_weights(untrained, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setattr(inception, "find_spec", lambda name: None)
    assert feature_distances.inception(untrained) == []
    monkeypatch.setattr(inception, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert feature_distances.inception(untrained) == []


class Extractor(torch.nn.Module):
    """Mock of torch-fidelity's extractor: from RGB images as bytes to a tuple of features."""

    def __init__(self, name, features_list, feature_extractor_weights_path):
        super().__init__()
        assert features_list == ["2048"]
        assert feature_extractor_weights_path.endswith(inception.WEIGHTS)

    def forward(self, x):
        assert x.dtype == torch.uint8
        assert x.shape[1:] == (3, 8, 8)
        return (x.flatten(1)[:, :20].float(),)


def test_inception_distances_have_groups_of_their_own(untrained, tmp_path, monkeypatch):
    module = ModuleType("torch_fidelity.feature_extractor_inceptionv3")
    module.FeatureExtractorInceptionV3 = Extractor
    monkeypatch.setitem(sys.modules, "torch_fidelity", ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(inception, "find_spec", lambda name: name)
    monkeypatch.setattr(inception, "weights_path", lambda: tmp_path / inception.WEIGHTS)
    (tmp_path / inception.WEIGHTS).touch()
    results = feature_distances.inception(untrained)
    assert len(results) == 10
    assert all("features of Inception-v3, 450 images each" in result.group for result in results)
    assert not {n.group for n in results} & {n.group for n in feature_distances.classifier(untrained)}
