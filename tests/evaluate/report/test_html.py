import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from fastlatent.data import load
from fastlatent.evaluate import measure, write_report
from fastlatent.evaluate.metrics.pixels import FEATURES, SAMPLES, pixel_error
from fastlatent.evaluate.report.figures import plane
from fastlatent.models import MODEL_CONFIGS
from fastlatent.models.configs import WAEMMDConfig
from fastlatent.train import TrainConfig, fit


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = load("digits")
    torch.manual_seed(0)
    model = WAEMMDConfig(hidden=(256, 256)).build(data.shape)
    done = fit(model, data, TrainConfig(epochs=40, run_dir=tmp_path_factory.mktemp("runs") / "run", accelerator="cpu"))
    return model, data, done


def test_pixel_error_is_the_mean_square():
    x = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    assert pixel_error(x, torch.zeros(2, 2)) == 0.75


def test_numbers_fall_between_floor_and_ceiling(run):
    model, data, _ = run
    error, _, mean, sample, floor, noise, codes, _, shifted = (n.value for n in measure(model, data))
    assert 0 < error < mean
    assert floor < sample < noise
    assert codes < shifted


def test_measuring_twice_gives_the_same_numbers(run):
    model, data, _ = run
    assert measure(model, data) == measure(model, data)


@pytest.mark.parametrize("name", ["vae", "aae-supervised"])
def test_codes_drawn_at_random_or_made_with_labels_are_measured_alike(name):
    data = load("digits")
    model = MODEL_CONFIGS[name](hidden=(8,)).build(data.shape)
    numbers = measure(model, data)
    assert len(numbers) == 9
    assert measure(model, data) == numbers


def test_a_model_without_encoder_is_measured_by_its_samples(tmp_path):
    data = load("digits")
    model = MODEL_CONFIGS["gan"](hidden=(8,)).build(data.shape)
    done = fit(model, data, TrainConfig(epochs=1, run_dir=tmp_path / "run", accelerator="cpu"))
    assert {number.group for number in write_report(model, data, done).numbers} == {SAMPLES.format(data.kind, FEATURES)}
    assert {path.stem for path in done.run_dir.glob("*.png")} == {"samples", "curves"}


def test_the_report_holds_its_figures_and_numbers(run):
    model, data, done = run
    numbers = write_report(model, data, done).numbers
    page = (done.run_dir / "report.html").read_text()
    assert all(number.text in page for number in numbers)
    sources = re.findall(r'src="([^"]{30})', page)
    assert len(sources) == len(list(done.run_dir.glob("*.png"))) == 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in re.sub(r'src="[^"]*"', "", page)


def test_the_figures_of_who_calls_are_left_alone(run):
    plt.switch_backend("svg")
    own = plt.figure()
    write_report(*run)
    assert plt.get_backend() == "svg"
    assert plt.get_fignums() == [own.number]
    plt.close(own)


def test_codes_of_two_coordinates_are_shown_as_they_are():
    z = np.random.default_rng(0).normal(size=(5, 2))
    view, names = plane(z)
    np.testing.assert_array_equal(view(z), z)
    assert names[0] == "first coordinate"
