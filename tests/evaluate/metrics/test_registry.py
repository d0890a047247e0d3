from dataclasses import replace

import pytest
import torch

from fastlatent import chamfer_distance
from fastlatent.data import UNLABELED, load
from fastlatent.evaluate import EvaluatedModel, compute_metrics, measure
from fastlatent.evaluate.metrics import clouds, clustering
from fastlatent.evaluate.metrics.registry import METRICS
from fastlatent.models import MODEL_CONFIGS, earth_mover_distance


def applying(subject):
    """The names of the measures that apply."""
    return {m.name for m in METRICS if all(holds(subject) for holds in m.applies)}


def subject(name, data, **options):
    torch.manual_seed(0)
    loaded = load(data)
    return EvaluatedModel(MODEL_CONFIGS[name](**options).build(loaded.shape), loaded)


SAMPLES = {"pixels.samples", "image_distances.in_features_of_classifier", "image_distances.in_inception_features"}
PRIOR = {"normality.mmd", "normality.losses"}
NORMAL = {*PRIOR, "paths.realism", "normality.p_value"}
CODES = {"pixels.reconstruction", "probes.accuracies", "critic.score"}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("gan", "digits", SAMPLES),
        ("ae", "digits", SAMPLES | CODES | NORMAL),
        ("vq-vae", "digits", SAMPLES | CODES | PRIOR),
        ("aae-clustering", "digits", SAMPLES | CODES | PRIOR | {"clustering.errors"}),
        ("ae", "lines", SAMPLES | CODES | NORMAL | {"paths.lines"}),
        (
            "aae3d",
            "shapes",
            NORMAL | {"clouds.reconstruction", "clouds.samples", "clouds.sets", "probes.accuracies", "probes.svm"},
        ),
        ("tabular", "wine", NORMAL | {"tables.reconstruction", "pixels.samples", "probes.accuracies"}),
        ("tabular", "diabetes", NORMAL | {"tables.reconstruction", "pixels.samples"}),
    ],
)
def test_measures_are_taken_of_what_they_apply_to(name, data, expected):
    assert applying(subject(name, data)) == expected


def test_training_takes_the_quick_ones_alone(untrained):
    quick = measure(untrained.model, untrained.data)
    assert {n.group.split(" ")[0] for n in quick} == {"Reconstruction", "Fréchet", "MMD"}
    assert len(quick) == 9


def test_a_table_is_measured_in_full_or_as_far_as_it_is_asked():
    def groups(names):
        return {number.group.split(" ")[0] for number in compute_metrics(wine, names)}

    wine = subject("tabular", "wine", hidden=(8,))
    assert groups(()) < groups(["probes.accuracies"]) < groups(None)
    assert groups(["probes.accuracies"]) - groups(()) == {"Accuracy"}
    with pytest.raises(ValueError, match=r"measure must be one of .*'probes.accuracies'.*; got 'colors'"):
        compute_metrics(wine, ["colors"])


@pytest.fixture
def cloud_subject(monkeypatch):
    monkeypatch.setattr(clouds, "CLOUDS", 12)
    few = (("Chamfer distance", chamfer_distance, 12, 32), ("Earth mover's distance", earth_mover_distance, 5, 8))
    monkeypatch.setattr(clouds, "DISTANCES", few)
    return subject("aae3d", "shapes", features=(8,), hidden=(8,))


def test_training_clouds_are_nearer_to_test_clouds_than_an_untrained_model_s_and_noise(cloud_subject):
    numbers = [*clouds.samples(cloud_subject), *clouds.sets(cloud_subject)]
    groups = list(dict.fromkeys(number.group for number in numbers))
    assert len(groups) == 5
    for group in groups:
        ours, floor, _ = (number.value for number in numbers if number.group == group)
        better = max if "Coverage" in group else min
        assert better(ours, floor) == floor, group


def test_a_model_of_test_clouds_matches_and_covers_them(cloud_subject):
    cloud_subject.samples = cloud_subject.test.x
    found = {number.group.split(" ")[0]: number.value for number in clouds.sets(cloud_subject) if number.ours}
    assert found["Jensen–Shannon"] == 0
    assert found["Coverage"] == 1
    assert found["Earth"] == 0


def clustering_model(name, digits, per_class):
    """A model whose code is the class, as one cluster each, known from a table of the images."""
    model = MODEL_CONFIGS[name](latent_dim=2).build(digits.shape)
    hidden = replace(digits, train=digits.train.keep_labels(per_class))
    made = EvaluatedModel(model, hidden, labeled=digits.train)
    clusters = model.category.dim
    made.codes = torch.nn.functional.one_hot(made.test.label, clusters + 2).float()
    return made


def test_clusters_that_are_the_classes_make_no_error(digits):
    numbers = clustering.errors(clustering_model("aae-clustering", digits, 0))
    assert [(number.value, number.ours) for number in numbers] == [(0, True), (pytest.approx(1 - 55 / 450), False)]
    assert numbers[0].group.startswith("Cluster-to-label error, 16 clusters")


@pytest.mark.parametrize(("per_class", "groups"), [(10, 2), (0, 1)])
def test_the_classification_error_is_of_models_that_were_shown_labels(digits, per_class, groups):
    made = clustering_model("aae-semi-supervised", digits, per_class)
    assert (made.data.train.labels == UNLABELED).any()
    numbers = [number for number in clustering.errors(made) if number.ours]
    assert [number.value for number in numbers] == [0] * groups


def test_a_model_without_encoder_has_no_codes(digits):
    made = EvaluatedModel(MODEL_CONFIGS["gan"](hidden=(8,)).build(digits.shape), digits)
    with pytest.raises(TypeError, match="GAN has no encoder"):
        _ = made.codes
    with pytest.raises(TypeError, match="only the code of a ClusteringAAE has clusters; got GAN"):
        clustering.errors(made)


def test_codes_of_labelled_examples_leave_out_the_others_and_know_no_label(digits):
    few = digits.train.keep_labels(2)
    model = MODEL_CONFIGS["aae-supervised"](latent_dim=3).build(digits.shape)
    batch = EvaluatedModel(model, digits, labeled=few).train_codes
    assert batch.x.shape == (20, 3)
    assert (batch.label == few.labels[few.labels != UNLABELED]).all()
