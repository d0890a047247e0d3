"""Loggers and figures of epochs."""

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
from tests.train.runs import crash_at, result, train

NAMES = ["tensorboard", "wandb", "mlflow"]


@pytest.mark.parametrize("name", NAMES)
def test_missing_logger_names_the_package_to_install(tmp_path, monkeypatch, name):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(ValueError, match=f"logger '{name}' is not installed here: pip install {name}"):
        train(tmp_path / "run", logger=name)
    assert not (tmp_path / "run").exists()


def crash_and_resume(monkeypatch, run, **options):
    """Train for three epochs, with a crash after the second and a resumption within the second."""
    crash_at(monkeypatch, run, 8, epochs=3, **options)
    train(run, epochs=3, resume=True, **options)


def events(folder):
    """Return the values that TensorBoard shows by step and name: a purge removes later steps."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    values = {}
    for path in sorted(folder.iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length = int.from_bytes(
                data[at : at + 8], "little"
            )  # a record: length, its checksum, the event, its checksum
            event = Event.FromString(data[at + 12 : at + 12 + length])
            at += 16 + length
            if event.session_log.status == SessionLog.START:
                values = {key: value for key, value in values.items() if key[0] < event.step}
            for value in event.summary.value:
                assert (event.step, value.tag) not in values
                values[event.step, value.tag] = value.simple_value
    return values


def test_tensorboard_has_each_epoch_once_after_resume(tmp_path, monkeypatch):
    crash_and_resume(monkeypatch, tmp_path / "run", logger="tensorboard")
    lines = {(line["epoch"], name): value for line in read_metrics(tmp_path / "run") for name, value in line.items()}
    assert events(tmp_path / "run" / "tensorboard") == pytest.approx(lines, rel=1e-6)


class Wandb(ModuleType):
    """Fake wandb that stores the records of each run."""

    def __init__(self):
        super().__init__("wandb")
        self.__spec__ = importlib.util.spec_from_loader("wandb", None)
        self.runs = {}

    @contextmanager
    def init(self, *, project, name, id, resume, dir, config):
        assert (project, name, resume, config["model"]) == ("fastlatent", dir.name, "allow", "wae-mmd")
        records = self.runs.setdefault(id, [])
        yield SimpleNamespace(log=lambda record, step: records.append((step, record)))


class MLflow(ModuleType):
    """Fake mlflow."""

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


@pytest.mark.parametrize(("name", "fake"), [("wandb", Wandb), ("mlflow", MLflow)])
def test_wandb_and_mlflow_continue_the_same_run_after_resume(tmp_path, monkeypatch, name, fake):
    module = fake()
    monkeypatch.setitem(sys.modules, name, module)
    crash_and_resume(monkeypatch, tmp_path / "run", logger=name)
    (records,) = module.runs.values()
    assert [step for step, _ in records] == [1, 2, 2, 3]
    assert [record for _, record in (records[0], *records[2:])] == read_metrics(tmp_path / "run")
    if name == "mlflow":
        assert module.parameters["of run"]["model"] == "wae-mmd"


@pytest.mark.parametrize("name", ["ae-dropout", "vae"])
def test_figures_do_not_change_the_training(tmp_path, name):
    train(tmp_path / "plain", name)
    train(tmp_path / "drawn", name, figures_every=1)
    assert result(tmp_path / "drawn") == result(tmp_path / "plain")
    figures = {path.name for path in (tmp_path / "drawn" / "figures").iterdir()}
    assert figures == {f"epoch-0000{e}-{of}.png" for e in (1, 2) for of in ("samples", "interpolations")}
    assert all(plt.imread(tmp_path / "drawn" / "figures" / figure).std() > 0.01 for figure in figures)


def test_figures_every_and_models_without_encoder(tmp_path):
    train(tmp_path / "run", "gan", epochs=3, figures_every=2)
    assert [path.name for path in (tmp_path / "run" / "figures").iterdir()] == ["epoch-00002-samples.png"]


def test_figures_of_tables_are_rejected(tmp_path):
    data = load("wine")
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="figures_every is an option of images and point clouds; got wine"):
        fit(TabularConfig().build(data.shape), data, TrainConfig(run_dir=tmp_path / "run", figures_every=1))
