import dataclasses
import json
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
from fastlatent.evaluate import MetricResult
from fastlatent.experiments.run import default_run, read_run
from fastlatent.models import MODEL_CONFIGS
from fastlatent.train import fit


def output(capsys, *arguments):
    main(arguments)
    return capsys.readouterr().out


def failure(capsys, *arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    return capsys.readouterr().err


def test_without_the_libraries_of_the_trainer_it_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "fastlatent.cli")
    monkeypatch.setitem(sys.modules, "tyro", None)  # as if it were not installed
    with pytest.raises(SystemExit, match="needs tyro: install fastlatent with its extra 'train'"):
        __main__.main()


def test_doctor_prints_the_configuration(capsys):
    assert "backend cpu" in output(capsys, "doctor")


def test_models_lists_every_configuration(capsys):
    text = output(capsys, "models")
    for name, made in MODEL_CONFIGS.items():
        assert re.search(rf"^ *{name} ", text, re.MULTILINE), name
        assert made.source.split()[0] in text


def options(of):
    """Name and default, as on the command line, of each field of a dataclass of options."""
    for field in dataclasses.fields(of):
        value = getattr(of, field.name)
        if not dataclasses.is_dataclass(value):
            words = value if isinstance(value, tuple) else (value,)
            yield f"--{field.name.replace('_', '-')}", " ".join(map(str, words))


@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_help_shows_every_option_with_its_default(capsys, name):
    with pytest.raises(SystemExit) as exit_:
        main(["train", name, "--help"])
    assert exit_.value.code == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    run = default_run(MODEL_CONFIGS[name])
    for option, default in [*options(run), *options(run.model), *options(run.training)]:
        shown = re.search(rf"{option}[ ,].*?\(default: (.*?)\)", text)
        assert shown, option
        assert shown[1] == default, option


def test_train_leaves_a_report_and_prints_where(capsys, tmp_path):
    out = tmp_path / "run"
    text = output(capsys, "train", "wae-mmd", "--epochs", "1", "--hidden", "16", "--out", str(out))
    assert str(out / "report.html") in text
    files = {path.name for path in out.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "model.safetensors", "report.html", "samples.png"} <= files


def test_train_on_mnist_ends_with_the_table_of_its_numbers(capsys, tmp_path, mnist_dir):
    options = ["--epochs", "1", "--batch-size", "500", "--hidden", "32", "--out", str(tmp_path / "run")]
    text = output(capsys, "train", "wae-mmd", "--data", "mnist", "--data-dir", str(mnist_dir), *options)
    numbers = json.loads((tmp_path / "run" / "results.json").read_text())
    assert len(numbers) == 9
    for number in numbers:
        assert re.search(rf"{re.escape(number['of'])} +{re.escape(MetricResult(**number).text)}", text), number


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
    out = tmp_path / "run"
    text = output(capsys, "train", *arguments, "--epochs", "1", "--hidden", "16", "--out", str(out))
    assert f"{arguments[0]} on digits" in text
    saved = (out / "config.yaml").read_text()
    assert f"{arguments[1][2:].replace('-', '_')}: {arguments[2]}\n" in saved


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
def test_what_the_user_got_wrong_is_one_line(capsys, arguments, message):
    error = failure(capsys, "train", "wae-mmd", *arguments)
    assert error.startswith("fastlatent: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_in_use_is_one_line(capsys, tmp_path):
    (tmp_path / "mine").touch()
    assert "is not an empty folder" in failure(capsys, "train", "ae", "--out", str(tmp_path))


def test_a_folder_that_cannot_be_made_is_one_line(capsys, tmp_path):
    (tmp_path / "file").touch()
    error = failure(capsys, "train", "ae", "--out", str(tmp_path / "file" / "run"))
    assert error == (
        f"fastlatent: error: cannot make the run folder {tmp_path / 'file' / 'run'}: Not a directory; "
        "choose another with --out\n"
    )


def test_unknown_data_is_refused_with_what_there_is(capsys):
    error = failure(capsys, "train", "ae", "--data", "cats")
    assert "'cats'" in error
    assert all(f"'{name}'" in error for name in ("digits", "mnist", "fashion-mnist"))


def test_after_an_interrupt_it_says_how_to_go_on_and_doing_so_ends_as_if_there_had_been_none(tmp_path, capsys):
    options = ["train", "ae", "--hidden", "16", "--epochs", "50", "--out"]
    command = [Path(sys.executable).with_name("fastlatent"), *options, tmp_path / "my run"]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # which what runs in the background ignores
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed) as process:
        while not (tmp_path / "my run" / "metrics.jsonl").exists():  # training has begun
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        error = process.communicate()[1]
    assert process.returncode == 130
    assert "Traceback" not in error
    last = error.splitlines()[-1]
    assert last.startswith("fastlatent: stopped after ")
    go_on = shlex.split(last.split("go on with: ")[1])
    assert go_on == ["fastlatent", "train", "--resume", str(tmp_path / "my run")]
    assert str(tmp_path / "my run" / "report.html") in output(capsys, *go_on[1:])
    run = read_run(tmp_path / "my run")
    model, data = run.prepare()
    fit(model, data, dataclasses.replace(run.training, out=tmp_path / "whole"))
    one, other = ((tmp_path / run / "model.safetensors").read_bytes() for run in ("my run", "whole"))
    assert one == other


def test_train_without_a_model_asks_for_one(capsys):
    assert "train takes a model (`fastlatent models` lists them) or --resume RUN" in failure(capsys, "train")


def test_resume_takes_the_model_from_the_run(capsys, tmp_path):
    assert "one of them" in failure(capsys, "train", "--resume", str(tmp_path), "ae")
    assert "is no run folder" in failure(capsys, "train", "--resume", str(tmp_path))


def test_an_interrupt_while_the_report_is_made_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "write_report", interrupted)
        with pytest.raises(SystemExit) as exit_:
            main(["train", "ae", "--epochs", "1", "--hidden", "16", "--out", str(tmp_path / "run")])
    assert exit_.value.code == 130
    go_on = capsys.readouterr().err.splitlines()[-1].split("go on with: ")[1]
    assert str(tmp_path / "run" / "report.html") in output(capsys, *shlex.split(go_on)[1:])
    assert (tmp_path / "run" / "report.html").exists()


def test_a_loss_that_is_lost_is_one_line(tmp_path, capsys):
    error = failure(capsys, "train", "ae", "--epochs", "1", "--lr", "1e30", "--out", str(tmp_path / "run"))
    assert error.splitlines()[-1] == (
        "fastlatent: error: the loss of phase 'autoencoder' is nan at step 2 of epoch 1; there is no checkpoint yet"
    )
