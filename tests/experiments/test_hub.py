"""Models to and from a fake Hugging Face hub, a folder."""

import json
import shutil
import sys

import pytest
import torch

from fastlatent.cli import main
from fastlatent.evaluate import MetricResult
from fastlatent.evaluate.report.results import write_results
from fastlatent.experiments import Run, load_model
from fastlatent.models.configs.wae import WAEMMDConfig
from fastlatent.train import TrainConfig

REASON = "huggingface_hub is not installed: pip install 'fastlatent[hub]'"
huggingface_hub = pytest.importorskip("huggingface_hub", reason=REASON)

from fastlatent.experiments import hub  # noqa: E402

pytestmark = pytest.mark.slow


def test_missing_package_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.delitem(sys.modules, "fastlatent.experiments.hub")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SystemExit) as exit_:
        main(["push", str(tmp_path), "me/mine"])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == "fastlatent: error: the hub needs huggingface_hub: pip install huggingface_hub\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run folder with metrics of a report."""
    run_dir = tmp_path_factory.mktemp("runs") / "run"
    training = TrainConfig(epochs=1, batch_size=500, run_dir=run_dir, accelerator="cpu")
    Run(WAEMMDConfig(latent_dim=3, hidden=(16,)), training, data_dir=run_dir.parent).fit()
    results = [MetricResult("An error", "this model", 0.25, is_model=True), MetricResult("An error", "baseline", 0.5)]
    write_results(run_dir, results)
    return run_dir


@pytest.fixture
def remote(monkeypatch, tmp_path):
    """Fake hub: a folder with a folder for each repository, and the requests."""
    requests = []

    def create_repo(api, repo_id, *, private, exist_ok):
        requests.append((repo_id, private))
        (tmp_path / repo_id).mkdir(parents=True)
        return huggingface_hub.RepoUrl(f"https://huggingface.co/{repo_id}")

    def upload_folder(api, *, repo_id, folder_path, **options):
        shutil.copytree(folder_path, tmp_path / repo_id, dirs_exist_ok=True)
        return f"https://huggingface.co/{repo_id}/commit/1"

    def download(repo_id, filename, **options):
        return str(tmp_path / repo_id / filename)

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", create_repo)
    monkeypatch.setattr(huggingface_hub.HfApi, "upload_folder", upload_folder)
    monkeypatch.setattr(
        "huggingface_hub.hub_mixin.hf_hub_download", lambda repo_id, filename, **_: download(repo_id, filename)
    )
    monkeypatch.setattr(hub, "hf_hub_download", download)
    return tmp_path, requests


def same(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_model_round_trip(run, tmp_path):
    model = hub.HubModel.from_run(run)
    model.save_pretrained(tmp_path)
    loaded = hub.HubModel.from_pretrained(tmp_path)
    assert same(loaded.model, load_model(run))
    assert not loaded.training
    assert loaded.options == model.options
    assert (tmp_path / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_push_sends_weights_options_and_card_without_local_paths(run, remote, capsys):
    main(["push", str(run), "me/mine", "--private"])
    assert capsys.readouterr().out == "https://huggingface.co/me/mine/commit/1\n"
    folder, requests = remote
    assert requests == [("me/mine", True)]
    files = {path.name: path for path in (folder / "me" / "mine").iterdir()}
    assert files.keys() == {"config.json", "model.safetensors", "README.md"}
    card = files["README.md"].read_text()
    assert "# wae-mmd on digits" in card
    assert "| An error | 0.25 |" in card
    assert 'from_pretrained("me/mine")' in card
    config = json.loads(files["config.json"].read_text())
    assert config["latent_dim"] == 3
    assert str(run.parent) not in json.dumps(config)


def test_local_data_is_pushed_by_name_only(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace("data: digits", "data: /home/me/pictures"))
    assert hub.HubModel.from_run(tmp_path / "run").options["data"] == "pictures"


def test_pull_gives_a_run_dir_with_the_model(run, remote, tmp_path, capsys):
    hub.push(run, "me/mine")
    to = tmp_path / "pulled"
    main(["pull", "me/mine", "--to", str(to)])
    assert str(to) in capsys.readouterr().out
    assert same(load_model(to), load_model(run))
    with pytest.raises(FileExistsError, match="is not an empty folder"):
        hub.pull("me/mine", to)


class FailsWhenUnpickled:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_pickles_are_never_loaded(run, tmp_path):
    hub.HubModel.from_run(run).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(FailsWhenUnpickled(), tmp_path / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        hub.HubModel.from_pretrained(tmp_path)


def test_another_kind_of_model_is_rejected(tmp_path):
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(ValueError, match="holds no model of fastlatent"):
        hub.HubModel.from_pretrained(tmp_path)


def test_unreachable_hub_is_one_line(run, monkeypatch, capsys):
    def unreachable(*arguments, **options):
        raise hub.HTTP_ERROR("Name or service\nnot known")

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", unreachable)
    with pytest.raises(SystemExit):
        main(["push", str(run), "me/mine"])
    assert capsys.readouterr().err == "fastlatent: error: Hugging Face hub: Name or service not known\n"
