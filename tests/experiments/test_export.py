"""Exported programs match the model for any batch size, and need only torch."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from fastlatent.cli import main
from fastlatent.experiments import load_model
from fastlatent.experiments.export import export, export_programs
from fastlatent.experiments.run import default_run
from fastlatent.models import MODEL_CONFIGS

pytestmark = pytest.mark.slow


def prepare(name):
    run = default_run(MODEL_CONFIGS[name])
    return replace(run, model=replace(run.model, hidden=(16,))).prepare()


@pytest.mark.parametrize("name", ["wae-gan", "vae", "vq-vae", "aae-dimension-reduction", "aae3d", "tabular"])
def test_programs_match_the_model_for_any_batch_size(name):
    model, data = prepare(name)
    programs = export_programs(model, data.test[:2].x)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    model.eval()
    encoder, decoder = programs["encoder"].module(), programs["decoder"].module()
    for n in (1, 2, 7):
        x, z = data.test[:n].x, model.sample_latent(n)
        torch.testing.assert_close(encoder(x), model.encode(x))
        torch.testing.assert_close(decoder(z), model.decode(z))


def test_model_without_encoder_has_only_a_decoder():
    model, data = prepare("gan")
    assert list(export_programs(model, data.test[:2].x)) == ["decoder"]


def test_programs_have_only_their_own_weights():
    model, data = prepare("wae-gan")
    for name, program in export_programs(model, data.test[:2].x).items():
        assert {key.split(".")[1] for key in program.state_dict} == {name}


WITHOUT_THE_PACKAGE = """
import sys, torch
from safetensors.torch import load_file, save_file
folder, inputs = sys.argv[1], load_file(sys.argv[2])
outputs = {name: torch.export.load(f"{folder}/{name}.pt2").module()(x) for name, x in inputs.items()}
save_file(outputs, sys.argv[3])
assert not [name for name in sys.modules if name.startswith("fastlatent")]
"""


def test_exported_run_loads_without_the_package(tmp_path, capsys):
    run, to = tmp_path / "run", tmp_path / "to" / "here"
    main(["train", "vq-vae", "--epochs", "1", "--hidden", "16", "--batch-size", "500", "--run-dir", str(run)])
    main(["export", str(run), "--to", str(to)])
    output = capsys.readouterr().out
    names = {"encoder.pt2", "decoder.pt2", "config.yaml", "model.safetensors"}
    assert {path.name for path in to.iterdir()} == names
    assert all(str(to / name) in output for name in names)

    model, inputs, outputs = load_model(to), tmp_path / "inputs.safetensors", tmp_path / "outputs.safetensors"
    x, z = torch.rand(5, 1, 8, 8), model.sample_latent(4)
    save_file({"encoder": x, "decoder": z}, inputs)
    subprocess.run([sys.executable, "-c", WITHOUT_THE_PACKAGE, to, inputs, outputs], check=True, cwd=tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(load_file(outputs), {"encoder": model.encode(x), "decoder": model.decode(z)})


def test_export_of_an_unfinished_run_names_the_missing_file(tmp_path):
    run = default_run(MODEL_CONFIGS["ae"])
    run = replace(run, training=replace(run.training, epochs=1, batch_size=500, run_dir=tmp_path))
    run.fit()
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"holds no trained model: it has no model\.safetensors"):
        export(tmp_path, tmp_path / "export")
