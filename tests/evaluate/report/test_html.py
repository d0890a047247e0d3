"""Report: metrics, figures, reproducibility."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.evaluate import compute_quick_metrics, write_report
from fastlatent.evaluate.metrics.feature_distances import PCA_COMPONENTS, PCA_GROUP
from fastlatent.evaluate.report.figures import project_2d
from fastlatent.evaluate.report.results import read_results
from fastlatent.models import MODEL_CONFIGS
from fastlatent.models.configs import WAEMMDConfig
from fastlatent.train import TrainConfig, fit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = load("digits")
    torch.manual_seed(0)
    model = WAEMMDConfig(hidden=(256, 256)).build(data.shape)
    result = fit(
        model, data, TrainConfig(epochs=40, run_dir=tmp_path_factory.mktemp("runs") / "run", accelerator="cpu")
    )
    return model, data, result


def test_metrics_are_between_floor_and_ceiling(run):
    model, data, _ = run
    error, _, mean, sample, floor, noise, codes, _, shifted = (n.value for n in compute_quick_metrics(model, data))
    assert 0 < error < mean
    assert floor < sample < noise
    assert codes < shifted


def test_metrics_are_reproducible(run):
    model, data, _ = run
    assert compute_quick_metrics(model, data) == compute_quick_metrics(model, data)


@pytest.mark.parametrize("name", ["vae", "aae-supervised"])
def test_metrics_of_random_and_label_conditioned_codes_are_reproducible(name):
    data = load("digits")
    model = MODEL_CONFIGS[name](hidden=(8,)).build(data.shape)
    results = compute_quick_metrics(model, data)
    assert len(results) == 9
    assert compute_quick_metrics(model, data) == results


def test_report_of_a_model_without_encoder_has_metrics_of_samples_only(tmp_path):
    data = load("digits")
    model = MODEL_CONFIGS["gan"](hidden=(8,)).build(data.shape)
    result = fit(model, data, TrainConfig(epochs=1, run_dir=tmp_path / "run", accelerator="cpu"))
    assert {metric.group for metric in write_report(model, data, result).metrics} == {
        PCA_GROUP.format(data.kind, PCA_COMPONENTS)
    }
    assert {path.stem for path in result.run_dir.glob("*.png")} == {"samples", "curves"}


def test_report_contains_figures_and_metrics(run):
    model, data, result = run
    metrics = write_report(model, data, result).metrics
    assert read_results(result.run_dir) == metrics
    page = (result.run_dir / "report.html").read_text()
    assert all(metric.text in page for metric in metrics)
    sources = re.findall(r'src="([^"]{30})', page)
    assert len(sources) == len(list(result.run_dir.glob("*.png"))) == 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in re.sub(r'src="[^"]*"', "", page)


def test_open_pyplot_figures_are_unchanged(run):
    plt.switch_backend("svg")
    own = plt.figure()
    write_report(*run)
    assert plt.get_backend() == "svg"
    assert plt.get_fignums() == [own.number]
    plt.close(own)


def test_two_dimensional_codes_are_not_projected():
    z = np.random.default_rng(0).normal(size=(5, 2))
    project, names = project_2d(z)
    np.testing.assert_array_equal(project(z), z)
    assert names[0] == "first coordinate"
