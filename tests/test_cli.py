import subprocess
import sys

import pytest

from fastlatent.cli import main

pytestmark = pytest.mark.usefixtures("one_thread")

LAZY = ("triton", "lightning_fabric", "matplotlib", "sklearn", "scipy", "tyro", "rich", "jinja2")


def output(capsys, *arguments):
    main(arguments)
    return capsys.readouterr().out


def failure(capsys, *arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    return capsys.readouterr().err


def test_importing_the_package_leaves_the_training_stack_alone():
    code = "import torch, sys; before = set(sys.modules); import fastlatent; "
    code += f"print([m for m in {LAZY} if m in set(sys.modules) - before])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_doctor_prints_the_configuration(capsys):
    assert "backend cpu" in output(capsys, "doctor")


def test_models_lists_every_configuration(capsys):
    text = output(capsys, "models")
    assert "wae-mmd" in text
    assert "Tolstikhin et al. 2018" in text


def test_help_shows_every_option_with_its_default(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["train", "wae-mmd", "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    options = "data data-dir epochs batch-size latent-dim lr seed accelerator out weight prior sigma scales hidden"
    assert all(f"--{option} " in text for option in options.split())
    assert text.count("(default:") + text.count("default:\n") >= 13


def test_train_leaves_a_report_and_prints_where(capsys, tmp_path):
    out = tmp_path / "run"
    text = output(capsys, "train", "wae-mmd", "--epochs", "1", "--hidden", "16", "--out", str(out))
    assert str(out / "report.html") in text
    files = {path.name for path in out.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "model.safetensors", "report.html", "samples.png"} <= files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
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
