"""Features of a classifier: accuracy, reproducibility, cache."""

import pytest
import torch

from fastlatent.data import Split
from fastlatent.evaluate.features import classifier
from fastlatent.evaluate.features.classifier import SmallNetwork, classifier_features, default_classifier_dir

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


def digits_features(digits, folder):
    return classifier_features("digits", digits.train, digits.test, CPU, folder)


def test_digits_classifier_is_accurate_and_reports_its_test_error(digits, classifiers):
    features = digits_features(digits, classifiers)
    (path,) = classifiers.glob("digits-*.safetensors")
    with classifier.safe_open(path, "pt") as file:
        metadata_error = file.metadata()["test error"]
        network = SmallNetwork(digits.shape, 10)
        network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    test = digits.test[: len(digits.test)]
    wrong = (network(test.x).argmax(1) != test.label).float().mean().item()
    assert features.name == f"a classifier (test error {wrong:.4f})"
    assert metadata_error == f"{wrong:.4f}"
    assert wrong < 0.03  # the error of a support vector machine on pixels is about 1 %


def test_features_have_unit_mean_square_on_training_images(digits, classifiers):
    features = digits_features(digits, classifiers).extract(digits.train[: len(digits.train)].x)
    assert features.shape == (1347, 64)
    torch.testing.assert_close(features.square().mean(), torch.tensor(1.0))


def test_training_is_bitwise_reproducible_for_any_seed_and_thread_count(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "TRAINING_IMAGES", 2**12)
    features = []
    for run, threads in enumerate((1, 2)):
        torch.manual_seed(run)
        torch.set_num_threads(threads)
        features.append(digits_features(digits, tmp_path / str(run)).extract(digits.test[:50].x))
    torch.set_num_threads(1)
    assert features[0].equal(features[1])


def test_classifier_is_trained_once_for_each_data_set(digits, classifiers, monkeypatch):
    first = digits_features(digits, classifiers).extract(digits.test[:5].x)
    monkeypatch.setattr(classifier, "_train", None)  # training would raise
    assert digits_features(digits, classifiers).extract(digits.test[:5].x).equal(first)


def test_other_labels_give_another_classifier(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "TRAINING_IMAGES", 2**8)
    digits_features(digits, tmp_path)
    other = Split(digits.train.x, digits.train.labels.flip(0), digits.train.max_value)
    classifier_features("digits", other, digits.test, CPU, tmp_path)
    assert len(list(tmp_path.glob("digits-*.safetensors"))) == 2


def test_images_of_any_size():
    for shape in ((1, 8, 8), (3, 32, 32), (1, 5, 7), (2, 1, 1)):
        network = SmallNetwork(shape, 3)
        assert network.embed(torch.rand(4, *shape)).shape == (4, 64)
        assert network(torch.rand(4, *shape)).shape == (4, 3)


def test_environment_variable_sets_the_classifier_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTLATENT_CACHE", str(tmp_path))
    assert default_classifier_dir() == tmp_path
    monkeypatch.delenv("FASTLATENT_CACHE")
    assert default_classifier_dir().parts[-3:] == (".cache", "fastlatent", "classifiers")
