"""Evaluation of runs, and confidence intervals over seeds."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fastlatent.cli import main
from fastlatent.evaluate import MetricResult
from fastlatent.evaluate.features import classifier
from fastlatent.evaluate.metrics import interpolation, normality
from fastlatent.evaluate.report.results import read_results
from fastlatent.experiments.evaluate import Interval, combine_metrics, configuration_names, evaluate_run, t_interval
from fastlatent.experiments.run import Run
from fastlatent.models.configs import AAESemiSupervisedConfig
from fastlatent.train import TrainConfig

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
VALUES = [0.3, 0.9, 0.5, 0.4]


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_t_interval_matches_scipy(confidence):
    interval = t_interval(VALUES, confidence)
    low, high = stats.t.interval(confidence, 3, np.mean(VALUES), stats.sem(VALUES))
    np.testing.assert_allclose([interval.mean - interval.half_width, interval.mean + interval.half_width], [low, high])
    assert interval.count == 4


def test_t_interval_of_two_runs_in_closed_form():
    interval = t_interval([1.0, 3.0])
    assert interval.mean == 2
    assert interval.half_width == pytest.approx(
        12.7062 * math.sqrt(2) / math.sqrt(2), rel=1e-5
    )  # t₀.₉₇₅ with one degree of freedom


def test_t_interval_coverage():
    generator = np.random.default_rng(0)
    intervals = [t_interval(generator.normal(3, 2, size=4), 0.8) for _ in range(2000)]
    coverage = np.mean([abs(interval.mean - 3) < interval.half_width for interval in intervals])
    assert abs(coverage - 0.8) < 4 * math.sqrt(0.8 * 0.2 / 2000)


def test_one_run_has_no_interval():
    interval = t_interval([0.25])
    assert (interval.mean, interval.text) == (0.25, "0.2500")
    assert math.isnan(interval.half_width)


def test_interval_text():
    assert Interval(0.5, 0.125, 3).text == "0.5000 ± 0.1250"


def test_invalid_confidence_or_no_values_are_rejected():
    with pytest.raises(ValueError, match="confidence must be between 0 and 1; got 1"):
        t_interval(VALUES, 1)
    with pytest.raises(ValueError, match="values must be one or more; got none"):
        t_interval([])


def metric(group, label, value):
    return MetricResult(group, label, value, is_model=True)


def test_metrics_are_combined_over_the_runs_of_a_configuration():
    a = [metric("error", "this", 1.0), metric("distance", "this", 5.0)]
    b = [metric("error", "this", 3.0), metric("distance", "this", 5.0)]
    other = [metric("error", "this", 7.0), metric("extra", "this", 8.0), metric("error", "that", 9.0)]
    rows = combine_metrics([("x", a), ("y", other), ("x", b)])
    assert [(row.result.group, row.result.label) for row in rows] == [
        ("error", "this"),
        ("error", "that"),
        ("distance", "this"),
        ("extra", "this"),
    ]
    error, _, distance, extra = rows
    assert error.intervals["x"] == t_interval([1.0, 3.0])
    assert error.intervals["y"].mean == 7.0
    assert distance.intervals["x"].half_width == 0
    assert set(distance.intervals) == {"x"}
    assert set(extra.intervals) == {"y"}


def semi_supervised_run(run_dir, **training):
    model = AAESemiSupervisedConfig(latent_dim=2, hidden=(16,))
    return Run(model, TrainConfig(epochs=1, run_dir=run_dir, accelerator="cpu", **training), labels_per_class=5)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two runs of one configuration, and one of another."""
    folder = tmp_path_factory.mktemp("runs")
    runs = (
        semi_supervised_run(folder / "a"),
        semi_supervised_run(folder / "b", seed=1),
        semi_supervised_run(folder / "c", lr=0.01),
    )
    return [run.fit().result.run_dir for run in runs]


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory):
    """Separate cache, since these classifiers are trained too briefly for other tests."""
    return tmp_path_factory.mktemp("classifiers")


@pytest.fixture(scope="module", autouse=True)
def _fast_metrics(classifiers):
    """Reduce the computation of slow metrics."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normality, "SIMULATIONS", 9)
        patch.setattr(interpolation, "CRITIC_STEPS", 20)
        patch.setattr(classifier, "TRAINING_IMAGES", 2**12)
        patch.setenv("FASTLATENT_CACHE", str(classifiers))
        yield


@pytest.fixture(scope="module")
def evaluated(folders):
    """Metrics of the first run."""
    return evaluate_run(folders[0], kmeans_starts=2).metrics


def test_configuration_names_have_the_differing_options(folders):
    assert configuration_names(folders[:2]) == ["aae-semi-supervised digits"] * 2
    default, other = "aae-semi-supervised digits lr=0.004", "aae-semi-supervised digits lr=0.01"
    assert configuration_names(folders) == [default, default, other]


def test_evaluate_run_uses_all_labels_of_the_data(folders, evaluated):
    groups = list(dict.fromkeys(metric.group for metric in evaluated))
    for start in ("Reconstruction", "Classification error", "Cluster-to-label", "Accuracy of k-means", "KID", "R²"):
        assert any(group.startswith(start) for group in groups), start
    assert read_results(folders[0]) == evaluated
    page = (folders[0] / "report.html").read_text()
    assert all(metric.text in page for metric in evaluated)
    assert "higher is better" in page
    layer = next(n for n in evaluated if n.group.startswith("Accuracy of a single") and n.is_model)
    assert layer.value > 0.2  # with the labels of all training images, of which the training used 50


def test_command_prints_runs_alone_and_combined_reproducibly(folders, evaluated, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = tmp_path / "combined.json"
    main(["evaluate", *map(str, folders[:2]), "--kmeans-starts", "2", "--out", str(out)])
    text = capsys.readouterr().out
    assert text.count("Reconstruction error, per pixel (lower is better)") == 3
    rows = json.loads(out.read_text())
    error = rows[0]["intervals"]["aae-semi-supervised digits"]
    assert error["count"] == 2
    assert Interval(**error).text in text
    page = (folders[1] / "report.html").read_text()
    assert Interval(**error).text in page
    assert "mean over runs" in page
    assert read_results(folders[0]) == evaluated


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is not a run folder"),
        (["RUN", "--kmeans-starts", "0"], "starts must be an integer >= 1; got 0"),
    ],
)
def test_evaluation_errors_are_one_line(folders, capsys, arguments, message):
    with pytest.raises(SystemExit) as exit_:
        main(["evaluate", *(str(folders[0]) if word == "RUN" else word for word in arguments)])
    assert exit_.value.code == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_documentation_example(folders, tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mine").symlink_to(folders[2])
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert "Accuracy of k-means on whitened codes, 100 random starts" in capsys.readouterr().out
