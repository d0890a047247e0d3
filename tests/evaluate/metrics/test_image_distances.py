import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel

from fastlatent.evaluate import EvaluatedModel
from fastlatent.evaluate.features import inception
from fastlatent.evaluate.features.classifier import classifier_features
from fastlatent.evaluate.metrics import image_distances
from fastlatent.models import MODEL_CONFIGS


def by_name(numbers, start):
    return {number.of: number.value for number in numbers if number.group.startswith(start)}


def test_samples_reconstructions_and_interpolations_lie_beside_floor_and_noise(untrained):
    numbers = image_distances.in_features_of_classifier(untrained)
    for start in ("Fréchet", "KID"):
        values = by_name(numbers, start)
        assert len(values) == 5
        floor, noise = values["450 training images (floor)"], values["independent pixels of training images (noise)"]
        assert floor < noise
        assert all(value > floor for of, value in values.items() if "floor" not in of)
    assert [number.ours for number in numbers] == [True, True, True, False, False] * 2
    assert all("features of a classifier (test error" in number.group for number in numbers)


def test_the_distances_are_those_of_numpy_in_the_same_features(untrained, digits, classifiers):
    numbers = image_distances.in_features_of_classifier(untrained)
    extract = classifier_features("digits", digits.train, digits.test, torch.device("cpu"), classifiers).extract
    x, y = (extract(z).double().numpy() for z in (untrained.reconstructions, untrained.test.x))
    k = {name: polynomial_kernel(a, b) for name, (a, b) in {"xx": (x, x), "xy": (x, y), "yy": (y, y)}.items()}
    n = len(x)
    within = sum((k[name].sum() - np.trace(k[name])) / (n * (n - 1)) for name in ("xx", "yy"))
    kid = within - 2 * k["xy"].mean()
    cov = np.cov(x.T) @ np.cov(y.T)
    root = np.sqrt(np.maximum(np.linalg.eigvals(cov).real, 0)).sum()  # Tr (Σ₁Σ₂)^½
    frechet = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(np.cov(x.T)) + np.trace(np.cov(y.T)) - 2 * root
    of = "its reconstructions of test images"
    assert by_name(numbers, "KID")[of] == pytest.approx(kid, rel=1e-6)
    assert by_name(numbers, "Fréchet")[of] == pytest.approx(frechet, rel=1e-4)  # eigenvalues near 0 have few digits


def test_a_model_without_encoder_has_samples_alone(digits):
    gan = EvaluatedModel(MODEL_CONFIGS["gan"](hidden=(8,)).build(digits.shape), digits)
    numbers = image_distances.in_features_of_classifier(gan)
    assert [number.of for number in numbers if number.ours] == ["samples of this model"] * 2


def test_without_torch_fidelity_or_its_weights_there_are_no_inception_numbers(untrained, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setattr(inception, "find_spec", lambda name: None)
    assert image_distances.in_inception_features(untrained) == []
    monkeypatch.setattr(inception, "find_spec", lambda name: name)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert image_distances.in_inception_features(untrained) == []


class Extractor(torch.nn.Module):
    """Stands for torch-fidelity's: takes RGB images as bytes, and gives a tuple of the features asked for."""

    def __init__(self, name, features_list, feature_extractor_weights_path):
        super().__init__()
        assert features_list == ["2048"]
        assert feature_extractor_weights_path.endswith(inception.WEIGHTS)

    def forward(self, x):
        assert x.dtype == torch.uint8
        assert x.shape[1:] == (3, 8, 8)
        return (x.flatten(1)[:, :20].float(),)


def test_inception_numbers_are_named_so_and_apart_from_the_others(untrained, tmp_path, monkeypatch):
    module = ModuleType("torch_fidelity.feature_extractor_inceptionv3")
    module.FeatureExtractorInceptionV3 = Extractor
    monkeypatch.setitem(sys.modules, "torch_fidelity", ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(inception, "find_spec", lambda name: name)
    monkeypatch.setattr(inception, "weights", lambda: tmp_path / inception.WEIGHTS)
    (tmp_path / inception.WEIGHTS).touch()
    numbers = image_distances.in_inception_features(untrained)
    assert len(numbers) == 10
    assert all("features of Inception-v3, 450 images each" in number.group for number in numbers)
    assert not {n.group for n in numbers} & {n.group for n in image_distances.in_features_of_classifier(untrained)}
