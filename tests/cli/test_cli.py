"""The command line: output, exit codes and one-line errors."""

import dataclasses
import re
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from fastlatent import __main__, evaluate
from fastlatent.cli import main
from fastlatent.evaluate.report.results import read_results
from fastlatent.experiments.run import default_run, read_run
from fastlatent.models import MODEL_CONFIGS
from fastlatent.train import fit

pytestmark = pytest.mark.slow


def output(capsys, *arguments):
    main(arguments)
    return capsys.readouterr().out


def failure(capsys, *arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    return capsys.readouterr().err


def test_missing_dependency_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "fastlatent.cli")
    monkeypatch.setitem(sys.modules, "tyro", None)  # simulates a missing package
    with pytest.raises(SystemExit, match="needs tyro: install fastlatent with its extra 'train'"):
        __main__.main()


def test_doctor_prints_the_configuration(capsys):
    assert "backend cpu" in output(capsys, "doctor")


def test_models_lists_every_configuration(capsys):
    text = output(capsys, "models")
    for name, config in MODEL_CONFIGS.items():
        assert re.search(rf"^ *{name} ", text, re.MULTILINE), name
        assert config.source.split()[0] in text


def options(config):
    """Yield option and default, as on the command line, of each field of a dataclass."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if not dataclasses.is_dataclass(value):
            words = value if isinstance(value, tuple) else (value,)
            yield f"--{field.name.replace('_', '-')}", " ".join(map(str, words))


@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_help_has_every_option_with_its_default(capsys, name):
    with pytest.raises(SystemExit) as exit_:
        main(["train", name, "--help"])
    assert exit_.value.code == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    run = default_run(MODEL_CONFIGS[name])
    for option, default in [*options(run), *options(run.model), *options(run.training)]:
        match = re.search(rf"{option}[ ,].*?\(default: (.*?)\)", text)
        assert match, option
        assert match[1] == default, option


def test_train_writes_a_report_and_prints_its_path(capsys, tmp_path):
    run_dir = tmp_path / "run"
    text = output(capsys, "train", "wae-mmd", "--epochs", "1", "--hidden", "16", "--run-dir", str(run_dir))
    assert str(run_dir / "report.html") in text
    files = {path.name for path in run_dir.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "model.safetensors", "report.html", "samples.png"} <= files


def test_train_on_mnist_prints_all_metrics(capsys, tmp_path, mnist_dir):
    options = ["--epochs", "1", "--batch-size", "500", "--hidden", "32", "--run-dir", str(tmp_path / "run")]
    text = output(capsys, "train", "wae-mmd", "--data", "mnist", "--data-dir", str(mnist_dir), *options)
    metrics = read_results(tmp_path / "run")
    assert len(metrics) == 9
    for metric in metrics:
        assert re.search(rf"{re.escape(metric.label)} +{re.escape(metric.text)}", text), metric


@pytest.mark.parametrize(
    "arguments",
    [
        ["acai", "--penalty", "frechet"],
        ["aae-semi-supervised", "--labels-per-class", "10"],
        ["gan", "--generator-loss", "minimax"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_train_takes_the_options_of_each_model(capsys, tmp_path, arguments):
    run_dir = tmp_path / "run"
    text = output(capsys, "train", *arguments, "--epochs", "1", "--hidden", "16", "--run-dir", str(run_dir))
    assert f"{arguments[0]} on digits" in text
    config_text = (run_dir / "config.yaml").read_text()
    assert f"{arguments[1][2:].replace('-', '_')}: {arguments[2]}\n" in config_text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--labels-per-class", "-1"], "labels_per_class must be an integer >= 0; got -1"),
        (["--epochs", "0"], "epochs must be an integer >= 1; got 0"),
        (["--weight", "-1"], "weight must be a finite number >= 0; got -1.0"),
        (["--prior", "mixture"], "needs latent_dim = 2; got 8"),
        (["--batch-size", "2000"], "batch_size must be at most 1347"),
        (["--data", "mnist", "--data-dir", "nowhere"], "no train-images-idx3-ubyte.gz"),
    ],
)
def test_user_errors_are_one_line(capsys, arguments, message):
    error = failure(capsys, "train", "wae-mmd", *arguments)
    assert error.startswith("fastlatent: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_nonempty_run_dir_is_one_line(capsys, tmp_path):
    (tmp_path / "mine").touch()
    assert "is not an empty folder" in failure(capsys, "train", "ae", "--run-dir", str(tmp_path))


def test_run_dir_that_cannot_be_created_is_one_line(capsys, tmp_path):
    (tmp_path / "file").touch()
    error = failure(capsys, "train", "ae", "--run-dir", str(tmp_path / "file" / "run"))
    assert error == (
        f"fastlatent: error: cannot create the run folder {tmp_path / 'file' / 'run'}: Not a directory; "
        "choose another with --run-dir\n"
    )


def test_unknown_data_set_lists_the_known_ones(capsys):
    error = failure(capsys, "train", "ae", "--data", "cats")
    assert "'cats'" in error
    assert all(f"'{name}'" in error for name in ("digits", "mnist", "fashion-mnist"))


def test_interrupt_prints_the_command_to_resume_and_resume_is_bitwise_identical(tmp_path, capsys):
    options = ["train", "ae", "--hidden", "16", "--epochs", "50", "--run-dir"]
    command = [Path(sys.executable).with_name("fastlatent"), *options, tmp_path / "my run"]
    reset_sigint = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # background processes ignore SIGINT
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=reset_sigint) as process:
        while not (tmp_path / "my run" / "metrics.jsonl").exists():  # training has begun
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        error = process.communicate()[1]
    assert process.returncode == 130
    assert "Traceback" not in error
    last = error.splitlines()[-1]
    assert last.startswith("fastlatent: stopped after ")
    resume = shlex.split(last.split("resume with: ")[1])
    assert resume == ["fastlatent", "train", "--resume", str(tmp_path / "my run")]
    assert str(tmp_path / "my run" / "report.html") in output(capsys, *resume[1:])
    run = read_run(tmp_path / "my run")
    model, data = run.prepare()
    fit(model, data, dataclasses.replace(run.training, run_dir=tmp_path / "whole"))
    weights, expected = ((tmp_path / run / "model.safetensors").read_bytes() for run in ("my run", "whole"))
    assert weights == expected


def test_train_without_a_model_is_rejected(capsys):
    assert "train takes either a model (see `fastlatent models`) or --resume RUN" in failure(capsys, "train")


def test_resume_takes_no_model(capsys, tmp_path):
    assert "either a model" in failure(capsys, "train", "--resume", str(tmp_path), "ae")
    assert "is not a run folder" in failure(capsys, "train", "--resume", str(tmp_path))


def test_interrupt_during_the_report_prints_the_command_to_resume(tmp_path, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "write_report", interrupt)
        with pytest.raises(SystemExit) as exit_:
            main(["train", "ae", "--epochs", "1", "--hidden", "16", "--run-dir", str(tmp_path / "run")])
    assert exit_.value.code == 130
    resume = capsys.readouterr().err.splitlines()[-1].split("resume with: ")[1]
    assert str(tmp_path / "run" / "report.html") in output(capsys, *shlex.split(resume)[1:])
    assert (tmp_path / "run" / "report.html").exists()


def test_divergence_is_one_line(tmp_path, capsys):
    error = failure(capsys, "train", "ae", "--epochs", "1", "--lr", "1e30", "--run-dir", str(tmp_path / "run"))
    assert error.splitlines()[-1] == (
        "fastlatent: error: the loss of phase 'autoencoder' is nan at step 2 of epoch 1; there is no checkpoint yet"
    )
