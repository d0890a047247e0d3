"""Metrics that apply to each kind of model and data."""

from dataclasses import replace

import pytest
import torch

from fastlatent import chamfer_distance
from fastlatent.data import UNLABELED, load
from fastlatent.evaluate import EvaluatedModel, compute_metrics, compute_quick_metrics
from fastlatent.evaluate.metrics import clustering, point_cloud_metrics
from fastlatent.evaluate.metrics.point_cloud_metrics import CloudDistance
from fastlatent.evaluate.metrics.registry import METRICS
from fastlatent.models import MODEL_CONFIGS, earth_mover_distance


def applicable(evaluated):
    """Return the names of the metrics that apply."""
    return {metric.name for metric in METRICS if metric.applies_to(evaluated)}


def untrained_model(name, data, **options):
    torch.manual_seed(0)
    dataset = load(data)
    return EvaluatedModel(MODEL_CONFIGS[name](**options).build(dataset.shape), dataset)


SAMPLES = {"feature_distances.pca", "feature_distances.classifier", "feature_distances.inception"}
PRIOR = {"normality.mmd", "normality.losses"}
NORMAL = {*PRIOR, "interpolation.realism_index", "normality.p_value"}
CODES = {"reconstruction.images", "probes.accuracies", "interpolation.critic_r2"}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("gan", "digits", SAMPLES),
        ("ae", "digits", SAMPLES | CODES | NORMAL),
        ("vq-vae", "digits", SAMPLES | CODES | PRIOR),
        ("aae-clustering", "digits", SAMPLES | CODES | PRIOR | {"clustering.error_rates"}),
        ("ae", "lines", SAMPLES | CODES | NORMAL | {"interpolation.lines"}),
        (
            "aae3d",
            "shapes",
            NORMAL
            | {"reconstruction.point_clouds", "probes.accuracies", "probes.svm"}
            | {"point_cloud_metrics.chamfer_matching", "point_cloud_metrics.divergence_and_coverage"},
        ),
        ("tabular", "wine", NORMAL | {"reconstruction.rows", "feature_distances.pca", "probes.accuracies"}),
        ("tabular", "diabetes", NORMAL | {"reconstruction.rows", "feature_distances.pca"}),
    ],
)
def test_metrics_apply_under_their_conditions(name, data, expected):
    assert applicable(untrained_model(name, data)) == expected


def test_quick_metrics(untrained):
    quick = compute_quick_metrics(untrained.model, untrained.data)
    assert {n.group.split(" ")[0] for n in quick} == {"Reconstruction", "Fréchet", "MMD"}
    assert len(quick) == 9


def test_names_select_metrics_of_a_table():
    def groups(names):
        return {result.group.split(" ")[0] for result in compute_metrics(wine, names)}

    wine = untrained_model("tabular", "wine", hidden=(8,))
    assert groups(()) < groups(["probes.accuracies"]) < groups(None)
    assert groups(["probes.accuracies"]) - groups(()) == {"Accuracy"}
    with pytest.raises(ValueError, match=r"metric must be one of .*'probes.accuracies'.*; got 'colors'"):
        compute_metrics(wine, ["colors"])


@pytest.fixture
def cloud_model(monkeypatch):
    chamfer = CloudDistance("Chamfer distance", chamfer_distance, 12, 32)
    earth_mover = CloudDistance("earth mover's distance", earth_mover_distance, 5, 8)
    monkeypatch.setattr(point_cloud_metrics, "CHAMFER", chamfer)
    monkeypatch.setattr(point_cloud_metrics, "EARTH_MOVER", earth_mover)
    return untrained_model("aae3d", "shapes", features=(8,), hidden=(8,))


def test_training_clouds_are_closest_to_test_clouds(cloud_model):
    results = [
        *point_cloud_metrics.chamfer_matching(cloud_model),
        *point_cloud_metrics.divergence_and_coverage(cloud_model),
    ]
    groups = list(dict.fromkeys(result.group for result in results))
    assert len(groups) == 5
    for group in groups:
        model, floor, _ = (result.value for result in results if result.group == group)
        better = max if "Coverage" in group else min
        assert better(model, floor) == floor, group


def test_samples_equal_to_test_clouds_match_and_cover_them(cloud_model):
    cloud_model.samples = cloud_model.test.x
    results = point_cloud_metrics.divergence_and_coverage(cloud_model)
    values = {result.group.split(" ")[0]: result.value for result in results if result.is_model}
    assert values["Jensen–Shannon"] == 0
    assert values["Coverage"] == 1
    assert values["Minimum"] == 0


def clustering_model(name, digits, per_class):
    """Return a model with one cluster for each class, as its codes."""
    model = MODEL_CONFIGS[name](latent_dim=2).build(digits.shape)
    few_labels = replace(digits, train=digits.train.keep_labels(per_class))
    evaluated = EvaluatedModel(model, few_labels, fully_labeled=digits.train)
    clusters = model.category.dim
    evaluated.codes = torch.nn.functional.one_hot(evaluated.test.label, clusters + 2).float()
    return evaluated


def test_clusters_equal_to_classes_have_error_zero(digits):
    results = clustering.error_rates(clustering_model("aae-clustering", digits, 0))
    assert [(result.value, result.is_model) for result in results] == [(0, True), (pytest.approx(1 - 55 / 450), False)]
    assert results[0].group.startswith("Cluster-to-label error, 16 clusters")


@pytest.mark.parametrize(("per_class", "groups"), [(10, 2), (0, 1)])
def test_classification_error_is_of_models_trained_with_labels(digits, per_class, groups):
    evaluated = clustering_model("aae-semi-supervised", digits, per_class)
    assert (evaluated.data.train.labels == UNLABELED).any()
    results = [result for result in clustering.error_rates(evaluated) if result.is_model]
    assert [result.value for result in results] == [0] * groups


def test_model_without_encoder_has_no_codes(digits):
    evaluated = EvaluatedModel(MODEL_CONFIGS["gan"](hidden=(8,)).build(digits.shape), digits)
    with pytest.raises(TypeError, match="GAN has no encoder"):
        _ = evaluated.codes
    with pytest.raises(TypeError, match="only the code of a ClusteringAAE has clusters; got GAN"):
        clustering.error_rates(evaluated)


def test_train_codes_are_of_labeled_examples_and_independent_of_labels(digits):
    few = digits.train.keep_labels(2)
    model = MODEL_CONFIGS["aae-supervised"](latent_dim=3).build(digits.shape)
    batch = EvaluatedModel(model, digits, fully_labeled=few).train_codes
    assert batch.x.shape == (20, 3)
    assert (batch.label == few.labels[few.labels != UNLABELED]).all()
