import torch

from fastlatent.data import Split
from fastlatent.evaluate.features import classifier
from fastlatent.evaluate.features.classifier import SmallNetwork, cache_folder, classifier_features

CPU = torch.device("cpu")


def of_digits(digits, folder):
    return classifier_features("digits", digits.train, digits.test, CPU, folder)


def test_a_classifier_of_digits_errs_seldom_and_says_how_often(digits, classifiers):
    made = of_digits(digits, classifiers)
    (path,) = classifiers.glob("digits-*.safetensors")
    with classifier.safe_open(path, "pt") as file:
        said = file.metadata()["test error"]
        network = SmallNetwork(digits.shape, 10)
        network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    test = digits.test[: len(digits.test)]
    wrong = (network(test.x).argmax(1) != test.label).float().mean().item()
    assert made.name == f"a classifier (test error {wrong:.4f})"
    assert said == f"{wrong:.4f}"
    assert wrong < 0.03  # a support vector machine on pixels errs on some 1 %


def test_its_features_are_of_size_1_on_training_images(digits, classifiers):
    found = of_digits(digits, classifiers).extract(digits.train[: len(digits.train)].x)
    assert found.shape == (1347, 64)
    torch.testing.assert_close(found.square().mean(), torch.tensor(1.0))


def test_training_repeats_bit_for_bit_whatever_the_seed_and_threads(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "SEEN", 2**12)
    found = []
    for run, threads in enumerate((1, 2)):
        torch.manual_seed(run)
        torch.set_num_threads(threads)
        found.append(of_digits(digits, tmp_path / str(run)).extract(digits.test[:50].x))
    torch.set_num_threads(1)
    assert found[0].equal(found[1])


def test_it_is_trained_once_for_a_data_set(digits, classifiers, monkeypatch):
    first = of_digits(digits, classifiers).extract(digits.test[:5].x)
    monkeypatch.setattr(classifier, "_train", None)  # would fail
    assert of_digits(digits, classifiers).extract(digits.test[:5].x).equal(first)


def test_other_labels_are_another_data_set(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "SEEN", 2**8)
    of_digits(digits, tmp_path)
    other = Split(digits.train.x, digits.train.labels.flip(0), digits.train.white)
    classifier_features("digits", other, digits.test, CPU, tmp_path)
    assert len(list(tmp_path.glob("digits-*.safetensors"))) == 2


def test_images_of_any_size_have_features():
    for shape in ((1, 8, 8), (3, 32, 32), (1, 5, 7), (2, 1, 1)):
        network = SmallNetwork(shape, 3)
        assert network.embed(torch.rand(4, *shape)).shape == (4, 64)
        assert network(torch.rand(4, *shape)).shape == (4, 3)


def test_classifiers_are_kept_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTLATENT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("FASTLATENT_CACHE")
    assert cache_folder().parts[-3:] == (".cache", "fastlatent", "classifiers")
