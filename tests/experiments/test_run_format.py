"""Run folders of another format are rejected with one line by every command, and by the functions that read them."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

from fastlatent.cli import main
from fastlatent.evaluate.report.results import read_results
from fastlatent.experiments import Run, load_model, load_run, read_run
from fastlatent.experiments.sweep import run_name, sweep
from fastlatent.models.configs import WAEMMDConfig
from fastlatent.train import TrainConfig, load_checkpoint, read_metrics
from fastlatent.train.checkpoint import Checkpoints
from fastlatent.utils.run_format import RUN_FORMAT, RunFileError, RunFormatError, check_run_format

OLD = Path(__file__).parent / "run_0_1_0"  # written by version 0.1.0
MESSAGE = "written in run format 0 (fastlatent 0.1.0 or older); this version reads format 1: train it again"


@pytest.fixture
def old(tmp_path):
    """Copy of a run folder of version 0.1.0."""
    return shutil.copytree(OLD, tmp_path / "old")


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [["train", "--resume", "RUN"], ["evaluate", "RUN"], ["export", "RUN"], ["push", "RUN", "me/mine"]],
    ids=lambda arguments: arguments[0],
)
def test_commands_reject_a_run_of_version_0_1_0_in_one_line(old, capsys, arguments):
    if arguments[0] == "push":
        pytest.importorskip("huggingface_hub", reason="pip install 'fastlatent[hub]'")
    before = files(old)
    with pytest.raises(SystemExit) as exit_:
        main([str(old) if argument == "RUN" else argument for argument in arguments])
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"fastlatent: error: {old}: {MESSAGE}\n")
    assert files(old) == before


def test_sweep_rejects_an_existing_run_of_version_0_1_0_in_one_line(tmp_path, capsys):
    run_dir = tmp_path / "sweep" / "hidden=4,seed=1"
    shutil.copytree(OLD, run_dir)
    with pytest.raises(SystemExit) as exit_:
        main(["sweep", "wae-mmd", "--hidden", "4", "--seed", "0", "1", "--run-dir", str(run_dir.parent)])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == f"fastlatent: error: {run_dir}: {MESSAGE}\n"
    assert [path.name for path in run_dir.parent.iterdir()] == [run_dir.name]  # nothing was trained


def test_reproduce_rejects_an_existing_run_of_version_0_1_0_in_one_line(tmp_path, capsys):
    run_dir = tmp_path / "wae-mmd-0"
    shutil.copytree(OLD, run_dir)
    with pytest.raises(SystemExit) as exit_:
        main(["reproduce", "penalties-mnist", "--run-dir", str(tmp_path)])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == f"fastlatent: error: {run_dir}: {MESSAGE}\n"


def test_pull_rejects_a_model_of_version_0_1_0_in_one_line(tmp_path, capsys):
    pytest.importorskip("huggingface_hub", reason="pip install 'fastlatent[hub]'")
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "config.json").write_text(json.dumps(yaml.safe_load((OLD / "config.yaml").read_text())))
    shutil.copy(OLD / "model.safetensors", repo)
    with pytest.raises(SystemExit) as exit_:
        main(["pull", str(repo), "--to", str(tmp_path / "pulled")])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == f"fastlatent: error: {repo}: {MESSAGE}\n"


@pytest.mark.parametrize("read", [read_run, load_run, load_model, read_results])
def test_readers_reject_a_run_of_version_0_1_0(read):
    with pytest.raises(RunFormatError, match=r"run_0_1_0: written in run format 0 \(fastlatent 0\.1\.0 or older\)"):
        read(OLD)


def test_load_checkpoint_rejects_a_run_of_version_0_1_0():
    model = WAEMMDConfig(latent_dim=2, hidden=(4,)).build((1, 8, 8))
    assert load_file(OLD / "model.safetensors").keys() == model.state_dict().keys()
    with pytest.raises(RunFormatError, match="train it again"):
        load_checkpoint(OLD, model)


def test_checkpoints_of_version_0_1_0_are_rejected():
    with pytest.raises(RunFormatError, match="step-000000021: written in run format 0"):
        Checkpoints(OLD / "checkpoints", keep_last=2).load_newest()


def test_a_newer_format_needs_a_newer_version():
    message = "runs/mine: written in run format 2; this version reads format 1: upgrade fastlatent"
    with pytest.raises(RunFormatError, match=f"^{message}$"):
        check_run_format("runs/mine", {"format": 2})


@pytest.mark.parametrize("version", [True, 1.0, "1", None, [1], "1\n"], ids=repr)
def test_only_an_integer_is_a_format_version(version):
    message = f"runs/mine: written in run format {version!r}; this version reads format 1: train it again"
    with pytest.raises(RunFormatError, match=f"^{re.escape(message)}$"):
        check_run_format("runs/mine", {"format": version})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Run folder of this version."""
    run_dir = tmp_path_factory.mktemp("damaged") / "run"
    run = Run(WAEMMDConfig(latent_dim=2, hidden=(4,)), TrainConfig(epochs=1, batch_size=500, run_dir=run_dir))
    run.fit()
    return run_dir


DAMAGES = {
    "no options": ("config.yaml", b"", "it has no options"),
    "invalid YAML": ("config.yaml", b"format: 1\nmodel: [wae", "while parsing a flow sequence"),
    "not text": ("config.yaml", b"\xff\xfe\x00", "'utf-8' codec can't decode byte"),
    "truncated config": ("config.yaml", b"format: 1\nmodel: wae-mmd\n", "it has no data, shape"),
    "truncated weights": ("model.safetensors", b"abc", "header too small"),
}


@pytest.mark.parametrize("command", [["evaluate"], ["export"], ["train", "--resume"]], ids=lambda c: c[0])
@pytest.mark.parametrize("damage", DAMAGES)
def test_commands_reject_a_damaged_file_in_one_line(trained, tmp_path, capsys, command, damage):
    file, content, reason = DAMAGES[damage]
    if command[0] == "train" and file != "config.yaml":
        pytest.skip("a resumed training reads its checkpoint")
    run_dir = shutil.copytree(trained, tmp_path / "run")
    (run_dir / file).write_bytes(content)
    with pytest.raises(SystemExit) as exit_:
        main([*command, str(run_dir)])
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"fastlatent: error: {run_dir / file} is damaged: ")
    assert reason in err


def test_resume_rejects_a_config_without_training_options(trained, tmp_path, capsys):
    run_dir = shutil.copytree(trained, tmp_path / "run")
    config = yaml.safe_load((run_dir / "config.yaml").read_text())
    del config["epochs"]
    (run_dir / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(SystemExit):
        main(["train", "--resume", str(run_dir)])
    assert capsys.readouterr().err == f"fastlatent: error: {run_dir / 'config.yaml'} is damaged: it has no epochs\n"


def test_resume_rejects_a_checkpoint_of_another_model_in_one_line(trained, tmp_path, capsys):
    run_dir = shutil.copytree(trained, tmp_path / "run")
    config = yaml.safe_load((run_dir / "config.yaml").read_text())
    (run_dir / "config.yaml").write_text(yaml.safe_dump({**config, "hidden": [5]}))
    with pytest.raises(SystemExit):
        main(["train", "--resume", str(run_dir)])
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "is of another model or other data: " in err


def test_weights_of_another_model_are_rejected_in_one_line(trained):
    model = WAEMMDConfig(latent_dim=2, hidden=(5,)).build((1, 8, 8))
    with pytest.raises(RunFileError, match=r"^.*model\.safetensors has the weights of another model: .*$"):
        load_checkpoint(trained, model)


@pytest.mark.parametrize(("file", "read"), [("results.json", read_results), ("metrics.jsonl", read_metrics)])
def test_json_errors_name_the_file(tmp_path, file, read):
    (tmp_path / file).write_text('{"epoch": 1')
    with pytest.raises(RunFileError, match=f"{file} is damaged: Expecting ',' delimiter"):
        read(tmp_path)


def test_all_files_of_a_run_have_the_format_version(tmp_path):
    run = Run(WAEMMDConfig(latent_dim=2, hidden=(4,)), TrainConfig(epochs=1, batch_size=500))
    sweep([run], tmp_path, lambda line: None)
    run_dir = tmp_path / run_name(run)
    assert yaml.safe_load((run_dir / "config.yaml").read_text())["format"] == RUN_FORMAT
    (checkpoint,) = (run_dir / "checkpoints").iterdir()
    for path in (run_dir / "results.json", checkpoint / "state.json", tmp_path / "sweep.json"):
        assert json.loads(path.read_text())["format"] == RUN_FORMAT, path
