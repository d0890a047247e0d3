"""What is told of each epoch, beside metrics.jsonl."""

import importlib.util
import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import torch

from fastlatent.data import load
from fastlatent.models.configs import TabularConfig
from fastlatent.train import TrainConfig, fit, read_metrics
from tests.train.runs import fall, result, train

NAMES = ["tensorboard", "wandb", "mlflow"]


@pytest.mark.parametrize("name", NAMES)
def test_a_logger_that_is_not_installed_is_named_with_what_to_install(tmp_path, monkeypatch, name):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(ValueError, match=f"logger '{name}' is not installed here: pip install {name}"):
        train(tmp_path / "run", logger=name)
    assert not (tmp_path / "run").exists()


def begin_again(monkeypatch, run, **options):
    """A run of three epochs that goes down after the second and is gone on with from within the second."""
    fall(monkeypatch, run, 8, epochs=3, **options)
    train(run, epochs=3, resume=True, **options)


def events(folder):
    """Step, name and value of what TensorBoard would show: later steps give way to those after a purge."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    shown = {}
    for path in sorted(folder.iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 8], "little")  # a record: length, its sum, the event, its sum
            event = Event.FromString(data[at + 12 : at + 12 + length])
            at += 16 + length
            if event.session_log.status == SessionLog.START:
                shown = {key: value for key, value in shown.items() if key[0] < event.step}
            for value in event.summary.value:
                assert (event.step, value.tag) not in shown
                shown[event.step, value.tag] = value.simple_value
    return shown


def test_tensorboard_shows_each_epoch_once_also_of_a_run_that_was_resumed(tmp_path, monkeypatch):
    begin_again(monkeypatch, tmp_path / "run", logger="tensorboard")
    lines = {(line["epoch"], name): value for line in read_metrics(tmp_path / "run") for name, value in line.items()}
    assert events(tmp_path / "run" / "tensorboard") == pytest.approx(lines, rel=1e-6)


class Wandb(ModuleType):
    """Stands in for wandb: what each run was given."""

    def __init__(self):
        super().__init__("wandb")
        self.__spec__ = importlib.util.spec_from_loader("wandb", None)
        self.runs = {}

    @contextmanager
    def init(self, *, project, name, id, resume, dir, config):
        assert (project, name, resume, config["model"]) == ("fastlatent", dir.name, "allow", "wae-mmd")
        logged = self.runs.setdefault(id, [])
        yield SimpleNamespace(log=lambda record, step: logged.append((step, record)))


class MLflow(ModuleType):
    """Stands in for mlflow."""

    def __init__(self):
        super().__init__("mlflow")
        self.__spec__ = importlib.util.spec_from_loader("mlflow", None)
        self.runs, self.parameters = {}, {}

    @contextmanager
    def start_run(self, *, run_id, run_name):
        self.run = run_id or f"of {run_name}"
        self.runs.setdefault(self.run, [])
        yield SimpleNamespace(info=SimpleNamespace(run_id=self.run))

    def log_params(self, options):
        self.parameters[self.run] = options

    def log_metrics(self, record, step):
        self.runs[self.run].append((step, record))


@pytest.mark.parametrize(("name", "made"), [("wandb", Wandb), ("mlflow", MLflow)])
def test_wandb_and_mlflow_get_each_epoch_in_one_run_also_when_it_was_resumed(tmp_path, monkeypatch, name, made):
    module = made()
    monkeypatch.setitem(sys.modules, name, module)
    begin_again(monkeypatch, tmp_path / "run", logger=name)
    (logged,) = module.runs.values()
    assert [step for step, _ in logged] == [1, 2, 2, 3]
    assert [record for _, record in (logged[0], *logged[2:])] == read_metrics(tmp_path / "run")
    if name == "mlflow":
        assert module.parameters["of run"]["model"] == "wae-mmd"


@pytest.mark.parametrize("name", ["ae-dropout", "vae"])
def test_figures_on_the_way_leave_the_training_as_it_is(tmp_path, name):
    train(tmp_path / "plain", name)
    train(tmp_path / "drawn", name, figures_every=1)
    assert result(tmp_path / "drawn") == result(tmp_path / "plain")
    figures = {path.name for path in (tmp_path / "drawn" / "figures").iterdir()}
    assert figures == {f"epoch-0000{e}-{of}.png" for e in (1, 2) for of in ("samples", "interpolations")}
    assert all(plt.imread(tmp_path / "drawn" / "figures" / figure).std() > 0.01 for figure in figures)


def test_figures_come_every_so_many_epochs_and_without_an_encoder_only_samples(tmp_path):
    train(tmp_path / "run", "gan", epochs=3, figures_every=2)
    assert [path.name for path in (tmp_path / "run" / "figures").iterdir()] == ["epoch-00002-samples.png"]


def test_rows_of_tables_are_not_drawn(tmp_path):
    data = load("wine")
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="figures_every is an option of images and point clouds; got wine"):
        fit(TabularConfig().build(data.shape), data, TrainConfig(out=tmp_path / "run", figures_every=1))
